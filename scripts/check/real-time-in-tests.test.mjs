import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realTimeFaults } from './real-time-in-tests.mjs'

const delayed = `import { setTimeout as delay } from 'node:timers/promises'\n`

const refused = [
  ['a promise of setTimeout', 'await new Promise(resolve => setTimeout(resolve, 20))', 1],
  ['setTimeout with more than a resolve', 'setTimeout(() => broker.close(), 100)', 1],
  ['setTimeout of globalThis', 'globalThis.setTimeout(done, 5)', 1],
  ['setInterval', 'const timer = setInterval(look, 10)', 1],
  ['an imported delay', `${delayed}await delay(50)`, 2],
  ['a delay by its own name', `import { setTimeout } from 'timers/promises'\nawait setTimeout(50)`, 2],
  [
    'a delay beside others',
    `import {\n  setImmediate,\n  setTimeout as nap,\n} from 'node:timers/promises'\nawait nap(1)`,
    5,
  ],
  ['scheduler.wait', `import { scheduler } from 'node:timers/promises'\nawait scheduler.wait(5)`, 2],
  ['Atomics.wait', 'Atomics.wait(cells, 0, 0, 100)', 1],
  ['a marker without a reason', `${delayed}// real time:\nawait delay(50)`, 3],
  ['a reason two lines above', `${delayed}// real time: the pace of the load\ncount()\nawait delay(50)`, 4],
  ['an upper bound on elapsed time', 'expect(performance.now() - startedAt).toBeLessThan(500)', 1],
  ['one that spans lines', 'expect(\n  (Date.now() - startedAt) / 1000,\n).toBeLessThanOrEqual(2)', 1],
]

for (const [name, text, line] of refused) {
  test(`${name} is refused`, () => {
    assert.deepEqual(
      realTimeFaults(text).map(fault => fault.line),
      [line],
    )
  })
}

const accepted = [
  ['a reason above', `${delayed}// real time: the pace of the load\nawait delay(10)`],
  ['a reason on the same line', `${delayed}await delay(10) // real time: the pace of the load`],
  ['a turn of the event loop', 'await new Promise(resolve => setImmediate(resolve))'],
  [
    'setImmediate of timers/promises',
    `import { setImmediate } from 'node:timers/promises'\nawait setImmediate()`,
  ],
  ['a condition that is waited for', `await until(() => dex.counts.tokenRequests === 1)`],
  ['a lower bound on elapsed time', 'expect(performance.now() - startedAt).toBeGreaterThan(600)'],
  [
    'a bound on a number in front of a time',
    'expect(log.lines.length).toBeLessThan(5)\nconst startedAt = performance.now()',
  ],
  [
    'a time in one expectation and a bound in the next',
    'expect(Date.now()).toBe(at)\nexpect(lines).toBeLessThan(5)',
  ],
  ['the name in another word', 'clearTimeout(timer); fakeSetTimeout(1); options.setTimeoutMs(2)'],
]

for (const [name, text] of accepted) {
  test(`${name} is accepted`, () => assert.deepEqual(realTimeFaults(text), []))
}
