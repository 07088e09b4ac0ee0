import { describe, expect, test } from 'vitest'
import { failureOf, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { RotatedSecret } from './rotated-secret.ts'

const lifeMs = 3_599_000
const usableMs = 3_569_000
const rejected = 'client secret rejected by Dex; the previous one is in use'
const accepted = 'client secret accepted'

type Kind = 'source' | 'asyncSource'
type Named = 'client' | 'clients'

/** A broker whose client has its secret from a function, and one token in the cache. */
async function startWithToken(kind: Kind = 'source', where: Named = 'client') {
  const vault = new RotatedSecret('orders-secret')
  const orders = { clientId: 'orders', clientSecret: vault[kind] }
  const running = await startBrokerWithDex({
    ...(where === 'client' ? { client: orders } : { clients: { shop: orders } }),
    random: () => 0.5,
  })
  const request = where === 'client' ? {} : { client: 'shop' }
  const getToken = () => running.broker.getToken(request)
  const token = await getToken()
  const linesOf = (message: string) => running.log.lines.filter(line => line.message === message)
  /** The token requests of what is done. */
  const requestsOf = async (work: () => Promise<unknown>) => {
    const before = running.dex.counts.tokenRequests
    await work()
    return running.dex.counts.tokenRequests - before
  }
  return { running, vault, token, getToken, linesOf, requestsOf }
}

describe.each<[string, Kind, Named]>([
  ['a function', 'source', 'client'],
  ['an async function', 'asyncSource', 'client'],
  ['a function of a named client', 'source', 'clients'],
])('the secret of %s', (_, kind, where) => {
  test('rotates in Dex first: the cached token serves on, and the new secret costs two requests', async () => {
    const { running: made, vault, token, getToken, linesOf, requestsOf } = await startWithToken(kind, where)
    await using running = made
    running.dex.setClientSecret('orders', 'second')
    expect(await getToken()).toBe(token)
    vault.secret = 'second'
    running.clock.advance(lifeMs)
    expect(await requestsOf(getToken)).toBe(2)
    expect(vault.calls).toEqual([false, true])
    running.clock.advance(lifeMs)
    expect(await requestsOf(getToken)).toBe(1)
    expect(running.log.lines.filter(({ level }) => level !== 'debug')).toEqual([])
    expect(linesOf(rejected)).toEqual([])
  })

  test('rotates in its own place first: the previous one serves on loudly until Dex has the new one', async () => {
    const { running: made, vault, getToken, linesOf, requestsOf } = await startWithToken(kind, where)
    await using running = made
    vault.secret = 'second'
    running.broker.renewSecrets()
    for (const round of [1, 2]) {
      running.clock.advance(lifeMs)
      expect(await requestsOf(getToken)).toBe(2)
      expect(linesOf(rejected)).toHaveLength(round)
    }
    const option = where === 'client' ? 'client' : 'clients.shop'
    expect(linesOf(rejected)[0]).toEqual({
      level: 'warn',
      message: rejected,
      fields: {
        client: where === 'client' ? undefined : 'shop',
        clientId: 'orders',
        hint: `set ${option}.clientSecret to the secret that Dex has for the client in ${option}.clientId`,
      },
    })
    expect(linesOf(accepted)).toEqual([])
    running.dex.setClientSecret('orders', 'second')
    for (const _ of [1, 2]) {
      running.clock.advance(lifeMs)
      expect(await requestsOf(getToken)).toBe(1)
    }
    expect(linesOf(accepted)).toHaveLength(1)
    expect(linesOf(accepted)[0]).toMatchObject({ level: 'info', fields: { clientId: 'orders' } })
    expect(linesOf(rejected)).toHaveLength(2)
    expect(running.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('a secret that rotates', () => {
  test('twice in a row before a request is sent keeps the last one that Dex accepted', async () => {
    const { running: made, vault, getToken, linesOf, requestsOf } = await startWithToken()
    await using running = made
    vault.secret = 'second'
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    await getToken()
    vault.secret = 'third'
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    expect(await requestsOf(getToken)).toBe(2)
    expect(linesOf(rejected)).toHaveLength(2)
    running.dex.setClientSecret('orders', 'third')
    running.clock.advance(lifeMs)
    expect(await requestsOf(getToken)).toBe(1)
    vault.secret = 'fourth'
    running.dex.setClientSecret('orders', 'fourth')
    running.clock.advance(lifeMs)
    expect(await requestsOf(getToken)).toBe(2)
  })

  test('costs at most three requests, however many callers wait', async () => {
    const { running: made, vault, getToken, requestsOf } = await startWithToken('asyncSource')
    await using running = made
    // The current secret is refused, the next one as well, and the previous one is accepted.
    vault.secret = 'second'
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    await getToken()
    vault.secret = 'third'
    running.clock.advance(lifeMs)
    const callers = () => Promise.all(Array.from({ length: 1_000 }, getToken))
    expect(await requestsOf(callers)).toBe(3)
    expect(vault.calls).toEqual([false, false, true, true])
  })

  test('and is refused in every version is one error line and client_misconfigured; the living token serves on', async () => {
    const { running: made, vault, token, getToken, requestsOf } = await startWithToken()
    await using running = made
    vault.secret = 'second'
    running.broker.renewSecrets()
    running.dex.setClientSecret('orders', 'elsewhere')
    running.clock.advance(usableMs)
    const errors = () => running.log.lines.filter(({ level }) => level === 'error')
    expect(await requestsOf(async () => expect(await getToken()).toBe(token))).toBeLessThanOrEqual(2)
    await until(() => errors().length === 1)
    expect(await getToken()).toBe(token)
    // The new secret, the previous one, and the new one again.
    expect(running.dex.counts.tokenRequests).toBe(4)
    expect(errors()[0]?.fields).toMatchObject({ code: 'client_misconfigured', oauthError: 'invalid_client' })
    running.clock.advance(lifeMs - usableMs)
    expect((await failureOf(getToken())).code).toBe('client_misconfigured')
    // Remembered, until the secret changes: then it passes at once.
    expect(await requestsOf(() => failureOf(getToken()))).toBe(0)
    vault.secret = 'elsewhere'
    running.broker.renewSecrets()
    expect(await requestsOf(getToken)).toBe(1)
  })

  test('opens no circuit while the first of two secrets is refused', async () => {
    const { running: made, vault, getToken } = await startWithToken()
    await using running = made
    vault.secret = 'second'
    running.broker.renewSecrets()
    for (let round = 0; round < 30; round++) {
      running.clock.advance(lifeMs)
      await getToken()
    }
    expect(running.dex.counts.tokenRequests).toBe(61)
    expect(running.log.lines.filter(({ message }) => message.includes('circuit'))).toEqual([])
  })

  test('is not tried again for an error that is not about the client', async () => {
    const { running: made, vault, getToken, requestsOf } = await startWithToken()
    await using running = made
    vault.secret = 'second'
    running.broker.renewSecrets()
    running.clock.advance(lifeMs)
    running.dex.setFault('token', { kind: 'answer', status: 400, body: '{"error":"unauthorized_client"}' })
    expect(await requestsOf(() => failureOf(getToken()))).toBe(1)
  })
})

test('a caller with the id of the configured client and another secret never gets its token', async () => {
  const { running: made, token } = await startWithToken()
  await using running = made
  const { broker } = running
  for (const clientSecret of ['wrong', 'second', 'configured client', 'configured secret']) {
    const request = { clientId: 'orders', clientSecret }
    expect(broker.peekToken(request)).toBeUndefined()
    expect((await failureOf(broker.getToken(request))).code).toBe('token_request_rejected')
  }
  expect(await broker.getToken({ clientId: 'orders', clientSecret: 'orders-secret' })).not.toBe(token)
})

test('a caller with the id of a named client does not get its token by the secret of the default client', async () => {
  const billing = { clientId: 'billing', clientSecret: 'billing-secret' }
  await using running = await startBrokerWithDex({
    client: { clientSecret: 'orders-secret' },
    clients: { invoices: billing },
  })
  await running.broker.getToken({ client: 'invoices' })
  expect(running.broker.peekToken({ clientId: 'billing' })).toBeUndefined()
  const failure = await failureOf(running.broker.getToken({ clientId: 'billing' }))
  expect(failure.code).toBe('token_request_rejected')
  await expect(running.broker.getToken({ clientId: 'orders' })).resolves.toBeDefined()
})

test('a token of a caller that brings only the id outlives the rotation of the configured secret', async () => {
  const vault = new RotatedSecret('orders-secret')
  await using running = await startBrokerWithDex({ client: { clientSecret: vault.source } })
  const request = { clientId: 'orders' }
  const token = await running.broker.getToken(request)
  vault.secret = 'second'
  running.dex.setClientSecret('orders', 'second')
  running.broker.renewSecrets()
  expect(await running.broker.getToken(request)).toBe(token)
  running.clock.advance(lifeMs)
  expect(await running.broker.getToken(request)).not.toBe(token)
  expect(running.dex.counts.tokenRequests).toBe(2)
})

test('a living token of a caller that brings only the id serves on while Dex refuses the configured secret', async () => {
  const vault = new RotatedSecret('orders-secret')
  await using running = await startBrokerWithDex({ client: { clientSecret: vault.source } })
  const request = { clientId: 'orders' }
  const token = await running.broker.getToken(request)
  running.dex.setClientSecret('orders', 'second')
  running.clock.advance(usableMs)
  for (let second = 0; second < 20; second++) {
    expect(await running.broker.getToken(request)).toBe(token)
    running.clock.advance(1_000)
  }
  // The last background request ends: it would refuse a caller that joins it.
  await new Promise(resolve => setImmediate(resolve))
  vault.secret = 'second'
  running.clock.advance(20_000)
  expect(await running.broker.getToken(request)).not.toBe(token)
})

test('callers with made-up client ids have a function called once a second at most', async () => {
  const vault = new RotatedSecret('orders-secret')
  await using running = await startBrokerWithDex({ client: { clientSecret: vault.source } })
  for (let number = 0; number < 20; number++) {
    await failureOf(running.broker.getToken({ clientId: `nobody-${number}` }))
  }
  expect(vault.calls).toEqual([false, true])
  expect(running.dex.counts.tokenRequests).toBe(20)
})
