import { describe, expect, test } from 'vitest'
import type { SecretSource } from '../../src/clients/secret-source.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { hintText } from '../../src/shared/hint.ts'
import { failureOf, startBrokerWithDex, until } from '../broker-with-dex.ts'

const lifeMs = 3_599_000
const unavailable = 'client secret unavailable; token requests fail'
const staysInUse = 'client secret unavailable; the last one stays in use'

/** A function whose behaviour a test changes, and which counts its calls. */
class Vault {
  answer: SecretSource
  calls = 0

  constructor(answer: SecretSource) {
    this.answer = answer
  }

  readonly source: SecretSource = request => {
    this.calls++
    return this.answer(request)
  }
}

function startWithVault(answer: SecretSource, options: Partial<TokenBrokerOptions> = {}) {
  const vault = new Vault(answer)
  const client = { clientId: 'orders', clientSecret: vault.source }
  return startBrokerWithDex({ client, random: () => 0.5, ...options }).then(running => ({ running, vault }))
}

/** For functions that hang: half of it is left for Dex, which needs it on a busy machine. */
const whileHanging = { requestTimeoutMs: 4_000 }

const never: SecretSource = () => new Promise(() => {})
const failing: [string, SecretSource, string][] = [
  [
    'throws',
    () => {
      throw new Error('vault is sealed')
    },
    'it failed: vault is sealed',
  ],
  ['rejects', () => Promise.reject(new Error('no route\nto vault')), 'it failed: no route\ufffdto vault'],
  [
    'rejects with no error',
    async () => {
      throw 'a secret text'
    },
    'it failed',
  ],
  ['returns nothing', () => undefined as never, 'its result is not a string'],
  ['returns an object', () => ({ secret: 'x' }) as never, 'its result is not a string'],
  ['returns an empty secret', () => '', 'its result is empty'],
  ['returns a secret that is too long', async () => 'x'.repeat(4_097), 'its result is too long'],
  ['returns half a character', async () => '\ud800', 'its result is not valid Unicode'],
  ['hangs', never, 'no result within 40 ms'],
]

describe.each(failing)('a function that %s', (_, answer, detail) => {
  test('fails token requests as a passing outage that names the option', async () => {
    const { running: made } = await startWithVault(answer, { requestTimeoutMs: 40 })
    await using running = made
    const failure = await failureOf(running.broker.getToken())
    expect(failure).toMatchObject({
      code: 'token_endpoint_unavailable',
      status: 503,
      transient: true,
      retryAfterMs: 1_000,
      hint: { problem: 'secret_unavailable', option: 'client.clientSecret', detail },
    })
    expect(running.dex.counts.tokenRequests).toBe(0)
    const hint = `check the function in client.clientSecret and the store that it reads: ${detail}`
    expect(hintText(failure.hint as never)).toBe(hint)
    expect(running.log.lines).toEqual([
      { level: 'error', message: unavailable, fields: { client: undefined, hint, count: 1 } },
    ])
  })

  test('leaves a known secret in use', async () => {
    const options = answer === never ? whileHanging : {}
    const { running: made, vault } = await startWithVault(() => 'orders-secret', options)
    await using running = made
    await running.broker.getToken()
    vault.answer = answer
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    await running.broker.getToken()
    expect(running.dex.counts.tokenRequests).toBe(2)
    const lines = () => running.log.lines.filter(({ level }) => level !== 'debug')
    await until(() => lines().length > 0)
    expect(lines()).toMatchObject([{ level: 'warn', message: staysInUse }])
  })
})

describe('a function', () => {
  test('is called by nobody until a token is requested, once for all who request one', async () => {
    const { running: made, vault } = await startWithVault(async () => 'orders-secret')
    await using running = made
    expect(running.broker.peekToken()).toBeUndefined()
    expect(vault.calls).toBe(0)
    const scopes = ['openid', 'email', 'groups', 'profile']
    await Promise.all([...scopes, ...scopes].map(scope => running.broker.getToken({ scope })))
    expect(vault.calls).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(4)
    running.clock.advance(lifeMs)
    await running.broker.getToken()
    expect(vault.calls).toBe(1)
  })

  test('that fails is called once a second, however many callers come', async () => {
    const { running: made, vault } = await startWithVault(() => {
      throw new Error('sealed')
    })
    await using running = made
    for (const second of [1, 2, 3]) {
      await Promise.all(Array.from({ length: 50 }, () => failureOf(running.broker.getToken())))
      const failure = await failureOf(running.broker.getToken({ scope: 'openid' }))
      expect(failure.retryAfterMs).toBe(1_000)
      running.clock.advance(999)
      expect((await failureOf(running.broker.getToken())).retryAfterMs).toBe(1)
      expect(vault.calls).toBe(second)
      running.clock.advance(1)
    }
    vault.answer = () => 'orders-secret'
    await running.broker.getToken()
    expect(running.log.lines.filter(({ message }) => message === unavailable)).toHaveLength(1)
  })

  test('that fails opens no circuit, and a living token serves on until its true expiry', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret')
    await using running = made
    const token = await running.broker.getToken()
    running.dex.setClientSecret('orders', 'second')
    vault.answer = () => {
      throw new Error('sealed')
    }
    running.broker.renewSecrets()
    running.clock.advance(3_569_000)
    for (let second = 0; second < 25; second++) {
      expect(await running.broker.getToken()).toBe(token)
      running.clock.advance(1_000)
    }
    vault.answer = () => 'second'
    running.clock.advance(5_000)
    expect(await running.broker.getToken()).not.toBe(token)
    expect(running.log.lines.filter(({ message }) => message.includes('circuit'))).toEqual([])
  })

  test('that hangs holds no slot: other clients get their tokens, and a living token is served at once', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret', { maxConnections: 1 })
    await using running = made
    const token = await running.broker.getToken()
    vault.answer = never
    running.broker.renewSecrets()
    running.clock.advance(3_569_000)
    expect(await running.broker.getToken()).toBe(token)
    await running.broker.getToken({ clientId: 'billing', clientSecret: 'billing-secret' })
  })

  test('that returns the refused secret again is called once a second, and its caller is told client_misconfigured', async () => {
    const { running: made, vault } = await startWithVault(() => 'wrong', { negativeCacheTtlMs: 0 })
    await using running = made
    for (let index = 0; index < 5; index++) {
      const failure = await failureOf(running.broker.getToken())
      expect(failure).toMatchObject({
        code: 'client_misconfigured',
        hint: { problem: 'credentials_rejected' },
      })
    }
    expect(vault.calls).toBe(2)
    expect(running.dex.counts.tokenRequests).toBe(5)
    running.clock.advance(1_000)
    await failureOf(running.broker.getToken())
    expect(vault.calls).toBe(3)
  })

  test('that hangs when Dex refuses its secret leaves time for the previous one', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret', whileHanging)
    await using running = made
    await running.broker.getToken()
    vault.answer = () => 'second'
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    await running.broker.getToken()
    running.clock.advance(lifeMs)
    vault.answer = never
    await running.broker.getToken()
    expect(vault.calls).toBe(4)
    expect(running.dex.counts.tokenRequests).toBe(5)
  })

  test('that failed is called without a wait while a secret is known', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret')
    await using running = made
    await running.broker.getToken()
    vault.answer = () => {
      throw new Error('sealed')
    }
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    await running.broker.getToken()
    const signals: AbortSignal[] = []
    const answers = Promise.withResolvers<string>()
    vault.answer = ({ signal }) => {
      signals.push(signal)
      return answers.promise
    }
    running.clock.advance(lifeMs)
    await running.broker.getToken()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    answers.resolve('second')
    await new Promise(resolve => setImmediate(resolve))
    running.dex.setClientSecret('orders', 'second')
    running.clock.advance(lifeMs)
    const before = running.dex.counts.tokenRequests
    await running.broker.getToken()
    expect(running.dex.counts.tokenRequests - before).toBe(1)
  })

  test('that failed is waited for again after renewSecrets', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret')
    await using running = made
    await running.broker.getToken()
    running.dex.setClientSecret('orders', 'second')
    vault.answer = () => {
      throw new Error('sealed')
    }
    running.broker.renewSecrets()
    await failureOf(running.broker.getToken({ scope: 'openid' }))
    vault.answer = async () => 'second'
    running.broker.renewSecrets()
    const before = running.dex.counts.tokenRequests
    await running.broker.getToken({ scope: 'email' })
    expect(running.dex.counts.tokenRequests - before).toBe(1)
  })

  test('gets a signal that aborts when the broker closes, and its waiting callers are told', async () => {
    const signals: AbortSignal[] = []
    const { running: made } = await startWithVault(({ signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    await using running = made
    const failure = failureOf(running.broker.getToken())
    await until(() => signals.length === 1)
    await running.broker.close()
    expect((await failure).message).toBe('the broker is closed')
    expect(signals[0]?.aborted).toBe(true)
    expect(running.log.lines).toEqual([])
  })

  test('under way when secrets are renewed counts no more, and is called again', async () => {
    const first = Promise.withResolvers<string>()
    const { running: made, vault } = await startWithVault(() => first.promise)
    await using running = made
    const token = running.broker.getToken()
    await until(() => vault.calls === 1)
    vault.answer = () => 'orders-secret'
    running.broker.renewSecrets()
    first.resolve('too old')
    await token
    expect(vault.calls).toBe(2)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('in a token request is a TypeError that names the options for it', async () => {
    const { running: made, vault } = await startWithVault(() => 'orders-secret')
    await using running = made
    const request = { clientId: 'orders', clientSecret: vault.source } as never
    const text = 'clientSecret must be a string; put the function into the option client or clients'
    await expect(running.broker.getToken(request)).rejects.toThrow(new TypeError(text))
    expect(() => running.broker.peekToken(request)).toThrow(text)
  })
})

test('no log line and no error holds a secret that a function returned, whatever happens to it', async () => {
  const secrets = ['orders-secret', 'second-secret', 'third-secret', 'broken-secret\ud800']
  const failures: unknown[] = []
  const events: unknown[] = []
  const { running: made, vault } = await startWithVault(() => 'orders-secret', {
    observe: event => events.push(event),
    negativeCacheTtlMs: 0,
  })
  await using running = made
  const { broker, dex, clock } = running
  const getToken = () => broker.getToken().catch(error => failures.push(error))
  const steps: SecretSource[] = [
    () => 'orders-secret',
    async () => 'second-secret',
    () => 'third-secret',
    () => 'broken-secret\ud800',
    () => {
      throw new Error('cannot use orders-secret or second-secret or third-secret')
    },
  ]
  for (const inDex of ['orders-secret', 'second-secret', 'another-secret']) {
    dex.setClientSecret('orders', inDex)
    for (const step of steps) {
      vault.answer = step
      clock.advance(lifeMs)
      broker.renewSecrets()
      await getToken()
      clock.advance(1_000)
      await getToken()
    }
  }
  expect(failures.length).toBeGreaterThan(5)
  const { inspect } = await import('node:util')
  const everything = inspect([running.log.lines, failures, events, broker], { depth: 20, showHidden: true })
  for (const secret of [...secrets, 'another-secret']) expect(everything).not.toContain(secret)
})

test('the log never has a part of a known secret, also where the message is cut', async () => {
  const secret = Array.from({ length: 30 }, (_, index) => `part-${index * 7919}`).join('.')
  const { running: made, vault } = await startWithVault(() => secret)
  await using running = made
  running.dex.setClientSecret('orders', secret)
  await running.broker.getToken()
  vault.answer = () => {
    throw new Error(`the store has no place for ${secret}`)
  }
  running.broker.renewSecrets()
  await running.broker.getToken({ scope: 'openid email' })
  const shown = JSON.stringify(running.log.lines)
  expect(shown).toContain(staysInUse)
  expect(shown).not.toContain('part-')
})
