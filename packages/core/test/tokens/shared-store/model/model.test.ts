import { MemoryTokenStore } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { DroppedRecords } from '../../../../src/tokens/shared-store/dropped-records.ts'
import { exploreScenario } from './explore-scenario.ts'
import { type Mistake, MistakenStore } from './mistaken-store.ts'
import type { ModelStore } from './scenario.ts'
import { scenarios } from './scenarios.ts'

type Store = (clock: { wall(): number }) => ModelStore

const memory: Store = clock => new MemoryTokenStore(clock)

function scenario(name: string) {
  const found = scenarios[name]
  if (found === undefined) throw new TypeError(`no scenario ${name}`)
  return found
}

/** Explores a scenario and returns its ends, each once. */
async function endsOf(name: string, store: Store, isNaive = false) {
  const ends = new Set<string>()
  const atEnd = (end: object) => void ends.add(JSON.stringify(end))
  const { runs, redundant } = await exploreScenario({ ...scenario(name), atEnd }, store, { isNaive })
  return { ends, runs, redundant }
}

describe('whatever happens first, the invariants hold, when', () => {
  test.for(Object.keys(scenarios))('%s', { timeout: 120_000 }, async (name, { annotate }) => {
    const { ends, runs, redundant } = await endsOf(name, memory)
    await annotate(`${runs} runs, ${redundant} given up as redundant, ${ends.size} ends`)
    expect(runs).toBeGreaterThan(0)
  })
})

test.each(['both miss at once', 'both miss, and one of them dies'])(
  'leaving out redundant orders loses no end of a run: %s',
  { timeout: 120_000 },
  async name => {
    const [reduced, naive] = [await endsOf(name, memory), await endsOf(name, memory, true)]
    expect(reduced.runs).toBeLessThan(naive.runs)
    expect(reduced.ends).toEqual(naive.ends)
  },
)

describe('the model notices', () => {
  const found = (name: string, store: Store) =>
    exploreScenario(scenario(name), store).then(
      () => 'nothing',
      (error: Error) => error.message.split('\n')[0],
    )

  test.each<[Mistake, string, string]>([
    ['keeps what was forgotten', 'one drops the token while the other refreshes it', 'differ at the end'],
    ['replaces newer records', 'both miss, and the lease ends early', 'an older record replaced a newer one'],
    ['gives two leases', 'both miss at once', 'two leases of one name are out at once'],
    ['answers with older records', 'both refresh ahead, and go on serving', 'requests, and not 2'],
    ['ends leases again', 'both drop the token', 'the store refused a record'],
  ])('a store that %s', { timeout: 120_000 }, async (mistake, name, broken) => {
    expect(await found(name, clock => new MistakenStore(clock, mistake))).toContain(broken)
  })

  test.each([
    'both miss at once',
    'both miss, and the lease ends early',
    'both refresh ahead, and go on serving',
  ])('nothing in a store that keeps its promises: %s', async name => {
    expect(await found(name, clock => new MistakenStore(clock))).toBe('nothing')
  })

  test('a broker that does not remember what it dropped', { timeout: 120_000 }, async () => {
    const { has, fenceOf } = DroppedRecords.prototype
    Object.assign(DroppedRecords.prototype, { has: () => false, fenceOf: () => 0 })
    try {
      expect(await found('one drops the token, and a call of the store fails', memory)).toContain(
        'which is dropped',
      )
    } finally {
      Object.assign(DroppedRecords.prototype, { has, fenceOf })
    }
  })
})
