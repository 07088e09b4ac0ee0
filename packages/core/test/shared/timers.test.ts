import { expect, test } from 'vitest'
import { type LogFields, logContext } from '../../src/shared/log-context.ts'
import { systemTimers } from '../../src/shared/timers.ts'

/** The fields of the log in a timer that the code of a check sets, before or after its first wait. */
async function fieldsIn(kind: keyof typeof systemTimers, waits: boolean): Promise<LogFields | undefined> {
  const before = logContext.enter({ logFields: { request_id: 'a' } })
  const seen = logContext.carry(async () => {
    if (waits) await Promise.resolve()
    return new Promise<LogFields | undefined>(resolve => {
      systemTimers[kind](() => resolve(logContext.fields), 1)
    })
  })
  logContext.leave(before)
  // real time: what runs in the background keeps no process alive
  const keepAlive = setInterval(() => {}, 1_000)
  return await seen.finally(() => clearInterval(keepAlive))
}

test.each([false, true])('a timer in the background belongs to no check, waited before: %s', async waits => {
  expect(await fieldsIn('background', waits)).toBeUndefined()
})

test.each([false, true])('a timer that a check waits for belongs to it, waited before: %s', async waits => {
  expect(await fieldsIn('waitedFor', waits)).toEqual({ request_id: 'a' })
})

test('a timer in the background leaves the code that sets it to its check', () => {
  const before = logContext.enter({ logFields: { request_id: 'a' } })
  systemTimers.background(() => {}, 1).cancel()
  expect(logContext.fields).toEqual({ request_id: 'a' })
  logContext.leave(before)
})
