import { describe, expect, test } from 'vitest'
import { VerificationPool } from '../../src/gate/keys/verification-pool.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { CallersKey, startGate } from './callers-issuer.ts'

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    error => (BrokerError.is(error) ? error.code : 'another error'),
  )

describe('signatures that take long', () => {
  test.each(['ES384', 'ES512'] as const)(
    'are verified a few at a time: more junk than that is overloaded, and then all is well (%s)',
    async algorithm => {
      const key = new CallersKey(algorithm)
      const forger = new CallersKey(algorithm)
      await using running = await startGate([key.jwk()])
      await running.broker.verify(key.jwt(running.claims()))
      const junk = Array.from({ length: 1_000 }, (_, index) => forger.jwt(running.claims({ index })))
      const outcomes = await Promise.all(junk.map(jwt => outcomeOf(running.broker.verify(jwt))))
      const refused = outcomes.filter(outcome => outcome === 'invalid_token').length
      expect(outcomes.filter(outcome => outcome === 'overloaded')).toHaveLength(1_000 - refused)
      expect(refused).toBe(8 + 256)
      await expect(running.broker.verify(key.jwt(running.claims()))).resolves.toMatchObject({
        subject: 'alice',
      })
    },
  )

  test('that are too many are answered 503 with Retry-After, and a remembered JWT passes meanwhile', async () => {
    const key = new CallersKey('ES512')
    const forger = new CallersKey('ES512')
    const log = new RecordingLogger()
    await using running = await startGate([key.jwk()], {}, { client: { clientId: 'x' }, logger: log })
    const known = key.jwt(running.claims())
    await running.broker.verify(known)
    const junk = Array.from({ length: 300 }, (_, index) => forger.jwt(running.claims({ index })))
    const all = junk.map(jwt => outcomeOf(running.broker.verify(jwt)))
    const verdict = await running.broker.check({
      headers: ['authorization', key.jwt(running.claims({ new: true }))],
    })
    expect(verdict).toMatchObject({ code: 'overloaded', status: 503, headers: { 'retry-after': '1' } })
    await expect(running.broker.verify(known)).resolves.toBeDefined()
    await Promise.all(all)
    const warnings = log.lines.filter(({ message }) => message.startsWith('JWT verification refused'))
    expect(warnings).toMatchObject([{ level: 'warn', fields: { count: 1 } }])
  })
})

describe('the pool', () => {
  /** Verifications that end when the test says so. */
  function startPool() {
    const ends: ((error?: Error) => void)[] = []
    const pool = new VerificationPool({ maxRunning: 2, maxWaiting: 3 })
    let running = 0
    let most = 0
    const run = (name: string) =>
      pool.run(() => {
        most = Math.max(most, ++running)
        return new Promise<string>((resolve, reject) => {
          ends.push(error => {
            running--
            if (error === undefined) resolve(name)
            else reject(error)
          })
        })
      })
    return { run, ends, most: () => most, running: () => running }
  }
  const turn = () => new Promise(resolve => setImmediate(resolve))

  test('runs so many at the same time, lets some wait in their order, and refuses the rest', async () => {
    const { run, ends, most } = startPool()
    const finished: string[] = []
    const five = ['a', 'b', 'c', 'd', 'e'].map(name => run(name).then(done => finished.push(done)))
    await expect(run('f')).rejects.toMatchObject({ code: 'overloaded', transient: true, retryAfterMs: 1_000 })
    for (let ended = 0; ended < 5; ended++) {
      await turn()
      ends.shift()?.()
    }
    await Promise.all(five)
    expect(finished).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(most()).toBe(2)
  })

  test('goes on after one that failed, and takes as many as before when it is empty again', async () => {
    const { run, ends, running } = startPool()
    const all = ['a', 'b', 'c'].map(name => run(name).catch((error: Error) => error.message))
    await turn()
    ends.shift()?.(new Error('broken'))
    await turn()
    expect(running()).toBe(2)
    for (const end of ends.splice(0)) end()
    expect(await Promise.all(all)).toEqual(['broken', 'b', 'c'])
    const again = ['d', 'e'].map(run)
    await turn()
    expect(running()).toBe(2)
    for (const end of ends.splice(0)) end()
    expect(await Promise.all(again)).toEqual(['d', 'e'])
  })
})
