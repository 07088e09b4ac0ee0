import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logCalls } from './log-calls.mjs'
import { logGuideFaults, logMarkdown, repairedLogGuide } from './log-markdown.mjs'

const described = (file, message) => ({
  [message]: { area: 'Tokens', file, level: 'info', meaning: 'One.', action: 'Nothing.' },
})
const call = (message, fields = []) => ({ level: 'info', message, fields, line: 1, file: 'a.ts' })

test('a log call tells its level, its message and its fields', () => {
  const source = [
    "this.#surroundings.logger.info({ issuer, ...endpoints, 'kid': 1 }, 'it\\'s discovered') // logger.warn('no')",
    `logger?.error({ err: { a, b } }, \`not loaded: \${text}, \${more}\`)`,
    "/* logger.info('no') */",
  ].join('\n')
  assert.deepEqual(logCalls(source), [
    { level: 'info', message: "it's discovered", fields: ['issuer', 'kid'], line: 1 },
    { level: 'error', message: 'not loaded: …, …', fields: ['err'], line: 2 },
  ])
})

test('constants, conditions and conditional spreads are followed', () => {
  const source = `
  const fields = { code, ...(slow && { timeoutMs: 1 }) }
  const message = \`failed: \${text}\`
  if (own) logger.error({ ...fields, count }, message)
  else logger.warn(ok ? { outcome } : { outcome, code: a?.b ?? c }, size === 0 ? 'none' : 'some')`
  assert.deepEqual(
    logCalls(source).map(({ level, message, fields }) => [level, message, fields.join()]),
    [
      ['error', 'failed: …', 'code,timeoutMs,count'],
      ['warn', 'none', 'outcome,code'],
      ['warn', 'some', 'outcome,code'],
    ],
  )
})

test('a message that cannot be read is told by its expression', () => {
  assert.deepEqual(
    logCalls('for (const warning of all) logger.warn(warning)\nlogger.info(text())').map(
      ({ message }) => message,
    ),
    ['(warning)', '(text())'],
  )
})

test('a line, a text and a field that are missing or too much are faults', () => {
  const guide = { lines: described('a.ts', 'gone'), fields: { unused: 'Nothing.' } }
  guide.lines['half'] = {
    area: 'Tokens',
    file: 'a.ts',
    meaning: '',
    action: 'Nothing.',
    moreFields: 'spread',
  }
  const faults = logGuideFaults(guide, [call('new'), call('half', ['kid'])], 'const other = 1').join('\n')
  assert.match(faults, /a\.ts:1 logs 'new' \(info\), which is not described/)
  assert.match(faults, /'gone' is described, and nothing logs it/)
  assert.match(faults, /'half' has no area, meaning or action/)
  assert.match(faults, /moreFields of 'half': nothing in the source is called 'spread'/)
  assert.match(faults, /the field 'kid' is not described/)
  assert.match(faults, /the field 'unused' is described, and no line has it/)
})

test('a guide that fits has no faults, and its page shows level and fields as the source has them', () => {
  const guide = { lines: described('a.ts', 'token | issued'), fields: { clientId: 'OAuth client id' } }
  const calls = [call('token | issued', ['clientId'])]
  assert.deepEqual(logGuideFaults(guide, calls, ''), [])
  assert.match(
    logMarkdown(guide, calls),
    /\| token \\\| issued \| INFO \| `clientId` \| One\. \| Nothing\. \|/,
  )
})

test('a line of WARN or ERROR needs a hint, or a reason for none', () => {
  const guide = {
    lines: { ...described('a.ts', 'with'), ...described('a.ts', 'without'), ...described('a.ts', 'excused') },
    fields: { hint: 'An instruction.' },
  }
  const calls = [
    { ...call('with', ['hint']), level: 'warn' },
    { ...call('without'), level: 'error' },
    { ...call('excused'), level: 'warn' },
  ]
  guide.lines.excused.withoutHint = 'somebody did it on purpose'
  assert.deepEqual(logGuideFaults(guide, calls, ''), [
    "scripts/docs/log-guide.json: 'without' is ERROR without a hint: log one, or give the reason in withoutHint",
  ])
  guide.lines.with.withoutHint = 'none'
  assert.match(logGuideFaults(guide, calls, '').join(), /'with' has a hint, and withoutHint says/)
})

test('a line that was reworded in its file keeps its text', () => {
  const guide = { lines: described('a.ts', 'key set loaded'), fields: {} }
  const { lines } = repairedLogGuide(guide, [call('key set refreshed')])
  assert.deepEqual(lines, described('a.ts', 'key set refreshed'))
})

test('of several reworded lines the alike ones keep their texts, and the rest is added without', () => {
  const guide = {
    lines: { ...described('a.ts', 'key set not loaded: …'), ...described('a.ts', 'stopped') },
    fields: {},
  }
  const calls = [call('key set unavailable: …'), call('listener closed')]
  calls.push({ ...call('key set not cached'), level: 'debug' })
  const { lines } = repairedLogGuide(guide, calls)
  assert.deepEqual(Object.keys(lines), [
    'key set unavailable: …',
    'stopped',
    'listener closed',
    'key set not cached',
  ])
  assert.equal(lines['key set unavailable: …'].meaning, 'One.')
  assert.deepEqual(lines['listener closed'], {
    area: '',
    file: 'a.ts',
    level: 'info',
    meaning: '',
    action: '',
  })
})
