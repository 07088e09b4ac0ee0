import type { Fault } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { GateOptions, TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { type BrokerWithDex, caughtUp, failureOf, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { startReconfigurable } from '../reconfigure/reconfigurable-broker.ts'

const minuteMs = 60_000

/** A gate whose callers have their JWTs from the look-alike. */
function startGateOfDex(gate: Partial<GateOptions> = {}, options: Partial<TokenBrokerOptions> = {}) {
  return startReconfigurable(dex => ({ gate: { jwksUri: dex.jwksUri, ...gate }, ...options }))
}

/** A short timeout, for requests that Dex never answers. Others would end by it too on a busy machine. */
const forSilence = { requestTimeoutMs: 300 }

/** A good JWT, signed with the current key, that lives for a day. */
function callersJwt({ dex, clock }: BrokerWithDex, kid?: string): string {
  return dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 86_400 }, kid === undefined ? {} : { kid })
}

async function isAccepted(running: BrokerWithDex, jwt = callersJwt(running)): Promise<boolean> {
  return running.broker.verify(jwt).then(
    () => true,
    () => false,
  )
}

const rubbish: [string, Fault][] = [
  ['no JSON', { kind: 'answer', body: 'no JSON' }],
  ['an empty body', { kind: 'answer', body: '' }],
  ['a list', { kind: 'answer', body: '[]' }],
  ['null', { kind: 'answer', body: 'null' }],
  ['an error with status 200', { kind: 'answer', body: '{"error":"x"}' }],
  ['keys that are no list', { kind: 'answer', body: '{"keys":{"0":{"kty":"RSA"}}}' }],
  ['no keys', { kind: 'answer', body: '{"keys":[]}' }],
  ['keys of junk', { kind: 'answer', body: '{"keys":[null,7,"x",[],{},{"kty":7}]}' }],
  [
    'keys nested too deep',
    { kind: 'answer', body: `{"keys":[{"kty":"EC","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}]}` },
  ],
  ['status 500 in HTML', { kind: 'html' }],
  ['status 404', { kind: 'answer', status: 404, body: '404 page not found\n' }],
  ['status 201', { kind: 'answer', status: 201, body: '{"keys":[{"kty":"RSA"}]}' }],
  ['a redirect', { kind: 'redirect', location: '/dex/healthz' }],
  ['a reset', { kind: 'reset' }],
  ['a reset in the middle of the body', { kind: 'reset', midBody: true }],
  ['1 GiB', { kind: 'huge' }],
  ['1 GiB, declared', { kind: 'huge', declareLength: true }],
  ['silence', { kind: 'hang' }],
]

describe('the first load', () => {
  test('is not made twice for a kid that it did not bring', async () => {
    await using running = await startGateOfDex()
    expect(await isAccepted(running, callersJwt(running, 'junk'))).toBe(false)
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('is not made before a key is needed', async () => {
    await using running = await startGateOfDex()
    await caughtUp(running.dex)
    expect(running.dex.counts.keysRequests).toBe(0)
    await isAccepted(running)
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('is shared by 1,000 callers at once', async () => {
    await using running = await startGateOfDex()
    const jwt = callersJwt(running)
    const all = await Promise.all(Array.from({ length: 1_000 }, () => isAccepted(running, jwt)))
    expect(all.every(Boolean)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test.each(rubbish)('answered with %s is jwks_unavailable, never 401', async (_, fault) => {
    await using running = await startGateOfDex({}, fault.kind === 'hang' ? forSilence : {})
    running.dex.setFault('keys', fault)
    const failure = await failureOf(running.broker.verify(callersJwt(running)))
    expect(failure).toMatchObject({ code: 'jwks_unavailable', status: 503 })
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('that fails locks nobody out: a second later it is tried again', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'html', times: 1 })
    expect(await isAccepted(running)).toBe(false)
    running.clock.advance(1_000)
    expect(await isAccepted(running)).toBe(true)
  })

  test('goes on when the caller who started it hangs up, and disturbs nobody', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'slow', delayMs: 40, times: 1 })
    const caller = new AbortController()
    const first = running.broker.verify(callersJwt(running), { signal: caller.signal })
    const second = isAccepted(running)
    await until(() => running.dex.counts.keysRequests === 1)
    caller.abort('hung up')
    await expect(first).rejects.toBe('hung up')
    expect(await second).toBe(true)
    expect(await isAccepted(running)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('that nobody waits for any more still fills the key set', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'slow', delayMs: 30, times: 1 })
    const failure = await failureOf(running.broker.verify(callersJwt(running), { timeoutMs: 1 }))
    expect(failure).toMatchObject({ code: 'jwks_unavailable', retryAfterMs: 1000 })
    await until(() => running.broker.missing().length === 0)
    expect(await isAccepted(running)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('starts by asking whether the broker is ready', async () => {
    await using running = await startGateOfDex()
    expect(running.broker.missing()).not.toEqual([])
    await until(() => running.broker.missing().length === 0)
    expect(running.dex.counts.keysRequests).toBe(1)
  })
})

test('a broker that is asked whether it is ready, and for nothing else, stays ready for hours', async () => {
  await using running = await startGateOfDex()
  await until(() => running.broker.missing().length === 0)
  for (let elapsed = 0; elapsed < 240; elapsed += 10) {
    running.clock.advance(10 * minuteMs)
    expect(running.broker.missing()).toEqual([])
    const loaded = () => running.log.lines.filter(({ message }) => message === 'key set refreshed').length
    await until(() => loaded() === elapsed / 10 + 2)
  }
})

describe('back-off', () => {
  test('after failures grows from one second to fifteen, and says when to come back', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'html' })
    const verify = () => failureOf(running.broker.verify(callersJwt(running)))
    await verify()
    let requests = 1
    for (const waitMs of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      running.clock.advance(waitMs - 1)
      expect((await verify()).retryAfterMs).toBe(1)
      expect(running.dex.counts.keysRequests).toBe(requests)
      running.clock.advance(1)
      await verify()
      expect(running.dex.counts.keysRequests).toBe(++requests)
    }
  })

  test('is over after a success', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'html', times: 2 })
    await isAccepted(running)
    running.clock.advance(1_000)
    await isAccepted(running)
    running.clock.advance(2_000)
    expect(await isAccepted(running)).toBe(true)
    running.clock.advance(10 * minuteMs)
    running.dex.setFault('keys', { kind: 'html', times: 1 })
    await isAccepted(running)
    running.clock.advance(1_000)
    await isAccepted(running)
    expect(running.dex.counts.keysRequests).toBe(5)
  })

  test('does not hold for ever when the wall clock is set back', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'html', times: 1 })
    await isAccepted(running)
    running.clock.jumpWall(-86_400_000)
    running.clock.advance(1_000)
    expect(await isAccepted(running)).toBe(true)
  })
})

describe('the age of a key set', () => {
  test('from 80 % on it is refreshed behind the back of a caller who does not wait', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    running.clock.advance(8 * minuteMs - 1)
    expect(await isAccepted(running)).toBe(true)
    await caughtUp(running.dex)
    expect(running.dex.counts.keysRequests).toBe(1)
    running.clock.advance(1)
    running.dex.setFault('keys', { kind: 'hang', times: 1 })
    expect(await isAccepted(running)).toBe(true)
    expect(await isAccepted(running)).toBe(true)
    await until(() => running.dex.counts.keysRequests === 2)
  })

  test('a key that was withdrawn is not trusted any more after the maximum age', async () => {
    await using running = await startGateOfDex()
    const jwt = callersJwt(running)
    await isAccepted(running, jwt)
    await running.dex.rotateKeys()
    running.dex.retireKey()
    running.clock.advance(8 * minuteMs - 1)
    expect(await isAccepted(running, jwt)).toBe(true)
    running.clock.advance(2 * minuteMs + 1)
    expect(await isAccepted(running, jwt)).toBe(false)
  })

  test('counts from before the set was asked for', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', {
      kind: 'rewrite',
      times: 1,
      rewrite: answer => {
        running.clock.advance(5 * minuteMs)
        return answer
      },
    })
    await isAccepted(running)
    running.clock.advance(5 * minuteMs)
    await isAccepted(running)
    expect(running.dex.counts.keysRequests).toBe(2)
  })

  test('counts on the clock that says more: a suspended machine asks again', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    running.clock.jumpWall(10 * minuteMs)
    await isAccepted(running)
    expect(running.dex.counts.keysRequests).toBe(2)
  })

  test('while the endpoint is down the old keys serve for an hour, and then 503', async () => {
    await using running = await startGateOfDex({ jwksMaxStaleMs: 60 * minuteMs })
    await isAccepted(running)
    running.dex.setFault('keys', { kind: 'reset' })
    running.clock.advance(60 * minuteMs - 1)
    expect(await isAccepted(running)).toBe(true)
    expect(running.broker.missing()).toEqual([])
    running.clock.advance(1)
    const failure = await failureOf(running.broker.verify(callersJwt(running)))
    expect(failure).toMatchObject({ code: 'jwks_unavailable', status: 503 })
    expect(running.broker.missing()).not.toEqual([])
    running.dex.clearFaults()
    running.clock.advance(15_000)
    expect(await isAccepted(running)).toBe(true)
  })

  test.each(rubbish)('a refresh answered with %s keeps the old keys', async (_, fault) => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    if (fault.kind === 'hang') running.reconfigure(forSilence)
    running.dex.setFault('keys', fault)
    running.clock.advance(10 * minuteMs)
    expect(await isAccepted(running)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(2)
    expect(running.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { keys: 'cached' } })
  })
})

describe('a kid that is not in the key set', () => {
  test('is looked for at once, so that a rotation is seen', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    await running.dex.rotateKeys()
    expect(await isAccepted(running)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(2)
  })

  test('is looked for by one request, however many callers have it', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    await running.dex.rotateKeys()
    const jwt = callersJwt(running)
    const all = await Promise.all(Array.from({ length: 200 }, () => isAccepted(running, jwt)))
    expect(all.every(Boolean)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(2)
  })

  test('1,000 different ones cause one refresh in ten seconds, and a rotation is seen after that', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    for (let junk = 0; junk < 1_000; junk++) {
      expect(await isAccepted(running, callersJwt(running, `junk-${junk}`))).toBe(false)
    }
    expect(running.dex.counts.keysRequests).toBe(2)
    await running.dex.rotateKeys()
    running.clock.advance(9_999)
    expect(await isAccepted(running)).toBe(false)
    running.clock.advance(1)
    expect(await isAccepted(running)).toBe(true)
    expect(running.dex.counts.keysRequests).toBe(3)
  })

  test('the same junk again does not use up the allowance of a real one', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    running.dex.setFault('keys', {
      kind: 'rewrite',
      rewrite: answer => {
        running.clock.advance(100)
        return answer
      },
    })
    expect(await isAccepted(running, callersJwt(running, 'junk'))).toBe(false)
    expect(running.dex.counts.keysRequests).toBe(2)
    running.clock.advance(9_950)
    // The cool-down is over, and the junk is still remembered.
    expect(await isAccepted(running, callersJwt(running, 'junk'))).toBe(false)
    expect(running.dex.counts.keysRequests).toBe(2)
    await running.dex.rotateKeys()
    expect(await isAccepted(running)).toBe(true)
  })

  test('is 401 and not 503 while the endpoint is down and other keys are at hand', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    running.dex.setFault('keys', { kind: 'reset' })
    for (let junk = 0; junk < 5; junk++) {
      const failure = await failureOf(running.broker.verify(callersJwt(running, `junk-${junk}`)))
      expect(failure.code).toBe('invalid_token')
    }
    expect(running.dex.counts.keysRequests).toBe(2)
    expect(await isAccepted(running)).toBe(true)
  })

  test('after a restart of Dex with new keys is found, and the old key goes with its set', async () => {
    await using running = await startGateOfDex()
    const old = callersJwt(running)
    expect(await isAccepted(running, old)).toBe(true)
    await running.dex.restart()
    expect(await isAccepted(running)).toBe(true)
    expect(await isAccepted(running, old)).toBe(false)
  })

  test('an expired JWT, or one for somebody else, asks for no keys at all', async () => {
    await using running = await startGateOfDex({ audience: 'svc' })
    await failureOf(running.broker.verify(running.dex.signJwt({ exp: 1, aud: 'svc' }, { kid: 'junk' })))
    await failureOf(running.broker.verify(callersJwt(running, 'junk')))
    await caughtUp(running.dex)
    expect(running.dex.counts.keysRequests).toBe(0)
  })
})

describe('close', () => {
  test('ends a wait for keys promptly, and asks for none any more', async () => {
    await using running = await startGateOfDex()
    running.dex.setFault('keys', { kind: 'hang' })
    const waiting = failureOf(running.broker.verify(callersJwt(running)))
    await until(() => running.dex.counts.keysRequests === 1)
    await running.broker.close()
    expect(await waiting).toMatchObject({ code: 'jwks_unavailable', message: 'the broker is closed' })
    expect(running.broker.missing()).not.toEqual([])
    running.clock.advance(minuteMs)
    await failureOf(running.broker.verify(callersJwt(running)))
    expect(running.dex.counts.keysRequests).toBe(1)
  })

  test('verify without a gate is wrong use', async () => {
    await using running = await startBrokerWithDex()
    await expect(running.broker.verify('a.b.c')).rejects.toThrow(TypeError)
    expect(running.broker.missing()).toEqual([])
  })
})

test('each request is told to the observer once, when it is over', async () => {
  const events: unknown[] = []
  await using running = await startGateOfDex({}, { observe: event => events.push(event) })
  running.dex.setFault('keys', { kind: 'html', times: 1 })
  await isAccepted(running)
  running.clock.advance(1_000)
  await isAccepted(running)
  await running.broker.getToken({ clientId: 'orders', clientSecret: 'orders-secret' })
  await failureOf(running.broker.getToken({ clientId: 'orders', clientSecret: 'wrong' }))
  expect(events).toEqual([
    { type: 'jwks_refresh', outcome: 'failed', durationMs: 0 },
    { type: 'jwks_refresh', outcome: 'refreshed', durationMs: 0 },
    { type: 'token_request', outcome: 'issued', durationMs: 0 },
    { type: 'token_request', outcome: 'token_request_rejected', durationMs: 0 },
  ])
})

describe('callers that wait for keys', () => {
  const burst = (running: BrokerWithDex, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, number) =>
        failureOf(running.broker.verify(callersJwt(running, `made-up-${number}`))),
      ),
    )
  const tally = (failures: readonly { code: string }[], code: string) =>
    failures.filter(failure => failure.code === code).length

  test('are limited by maxWaitingCallers, together with those that wait for tokens', async () => {
    const options = { maxWaitingCallers: 100, ...forSilence }
    await using running = await startGateOfDex({}, options)
    const { broker, dex } = running
    dex.setFault('keys', { kind: 'hang' })
    dex.setFault('token', { kind: 'hang' })
    const forTokens = Array.from({ length: 40 }, () =>
      failureOf(broker.getToken({ clientId: 'orders', clientSecret: 'orders-secret' })),
    )
    const forKeys = await burst(running, 1_000)
    expect(tally(forKeys, 'overloaded')).toBe(940)
    expect(tally(forKeys, 'jwks_unavailable')).toBe(60)
    await Promise.all(forTokens)
  })

  test('leave places to others when their key may not exist: beyond 256, they are told to retry', async () => {
    await using running = await startGateOfDex()
    await isAccepted(running)
    running.reconfigure(forSilence)
    running.dex.setFault('keys', { kind: 'hang' })
    running.clock.advance(10_000)
    const failures = await burst(running, 1_000)
    expect(tally(failures, 'overloaded')).toBe(1_000 - 256)
    expect(tally(failures, 'invalid_token')).toBe(256)
    expect(failures.every(({ code, status }) => code !== 'overloaded' || status === 503)).toBe(true)
    expect(await isAccepted(running)).toBe(true)
  })
})
