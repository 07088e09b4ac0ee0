import { expect, test } from 'vitest'
import { CheckGroup, finishedGroups } from '../../src/doctor/check-group.ts'
import { failed, ok, warning } from '../../src/doctor/check-result.ts'
import { groupText, summaryText } from '../../src/doctor/doctor-text.ts'

const never = () => new Promise<never>(() => {})

async function all(groups: readonly CheckGroup<unknown>[], signal = new AbortController().signal) {
  const finished = []
  for await (const group of finishedGroups(groups, signal)) finished.push(group)
  return finished
}

test('groups run beside each other and come in their order', async () => {
  const later = Promise.withResolvers<void>()
  const first = new CheckGroup('first', async report => {
    await later.promise
    report(ok('one', 'done'))
  })
  const second = new CheckGroup('second', async report => {
    report(ok('two', 'done'))
    later.resolve()
  })
  expect((await all([first, second])).map(({ title }) => title)).toEqual(['first', 'second'])
})

test('a run that is out of time keeps what was found, and fails', async () => {
  const group = new CheckGroup('slow', async report => {
    report(ok('one', 'done'))
    await never()
  })
  const [finished] = await all([group], AbortSignal.abort())
  expect(finished?.results).toEqual([
    ok('one', 'done'),
    failed('time', 'the checks of this group did not end in time'),
  ])
})

test('a check that throws is a failure, and the other groups go on', async () => {
  const broken = new CheckGroup('broken', async () => {
    throw new Error('unexpected')
  })
  const [first, second] = await all([
    broken,
    new CheckGroup('next', async report => report(ok('one', 'done'))),
  ])
  expect(first?.results).toMatchObject([{ verdict: 'failed', fact: 'a check broke off: unexpected' }])
  expect(second?.results).toEqual([ok('one', 'done')])
})

test('a group without a result is not shown', async () => {
  expect(await all([new CheckGroup('empty', async () => {})])).toEqual([])
})

test('verdicts are coloured on request only, and control characters never reach the terminal', () => {
  const results = [ok('one', 'fine'), warning('two', 'from a server: \u{1b}[2J\n', 'do this')]
  expect(groupText({ title: 'Dex', results }, { hasColours: false })).toBe(
    'Dex\n  ok       one  fine\n  warning  two  from a server:  [2J \n           -> do this\n\n',
  )
  expect(groupText({ title: 'Dex', results }, { hasColours: true })).toContain(
    '\u{1b}[33mwarning  \u{1b}[0mtwo',
  )
})

test('the last line counts every verdict', () => {
  expect(summaryText([ok('a', '')])).toBe('No check failed: 0 warnings, 1 passed, 0 skipped.')
  expect(summaryText([failed('a', ''), failed('b', ''), warning('c', '')])).toBe(
    '2 checks failed: 1 warning, 0 passed, 0 skipped.',
  )
})
