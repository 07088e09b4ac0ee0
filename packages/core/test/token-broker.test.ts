import { inspect } from 'node:util'
import { startDevDex } from '@broker/dev-dex'
import { ManagedProcess, within } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import * as publicApi from '../src/index.ts'
import { caughtUp, failureOf, orders, startBrokerWithDex, until } from './broker-with-dex.ts'

test('the package has at most ten names at run time', () => {
  expect(Object.keys(publicApi).sort()).toEqual([
    'BrokerError',
    'TokenBroker',
    'axiosInterceptor',
    'brokerErrorCodes',
    'checkedTokenRequest',
    'createFetch',
    'gotHooks',
    'headerLines',
    'headerProvider',
    'refusalOf',
    'refusesToken',
  ])
})

test('a broker can be made while Dex is down, and asks for nothing before it has to', async () => {
  await using running = await startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri } }))
  expect(running.broker.peekToken()).toBeUndefined()
  await caughtUp(running.dex)
  expect(running.dex.counts).toEqual({
    tokenRequests: 0,
    keysRequests: 0,
    discoveryRequests: 0,
    exchangeRequests: 0,
    tokensIssued: 0,
  })
})

test('peekToken finds what getToken has put there, and nothing else', async () => {
  await using running = await startBrokerWithDex()
  const token = await running.broker.getToken({ ...orders, scope: 'groups' })
  expect(running.broker.peekToken({ ...orders, scope: 'groups' })).toBe(token)
  expect(running.broker.peekToken(orders)).toBeUndefined()
  expect(() => running.broker.peekToken()).toThrow('client id or client secret is missing')
})

test('no log line at any level holds a secret, a token, a JWT or a Basic header', async () => {
  await using running = await startBrokerWithDex(dex => ({
    client: { clientId: 'orders' },
    gate: { jwksUri: dex.jwksUri },
    tokenHeaders: { access_token: 'x-access-token' },
  }))
  const good = running.dex.signJwt({ exp: running.clock.wall() / 1000 + 60 })
  const bad = running.dex.signJwt({ exp: 1 })
  const check = (jwt: string, secret: string) =>
    running.broker.check({ headers: ['authorization', jwt, 'x-client-secret', secret] })
  const allowed = await check(good, 'orders-secret')
  await check(bad, 'orders-secret')
  await check(`${good}x`, 'orders-secret')
  await check(good, 'another-secret')
  running.dex.setFault('token', { kind: 'reset' })
  await check(good, 'third-secret')
  const shown = inspect(running.log.lines, { depth: 10, showHidden: true })
  expect(new Set(running.log.lines.map(({ level }) => level))).toEqual(
    new Set(['debug', 'info', 'warn', 'error']),
  )
  const token = allowed.outcome === 'allow' ? (allowed.set['x-access-token'] as string) : ''
  for (const secret of ['-secret', token, good, bad, good.slice(-20), btoa('orders:'), 'Basic', 'Bearer']) {
    expect(shown).not.toContain(secret)
  }
})

describe('the end of a broker', () => {
  test('comes with the block in which it is used', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256' })
    let used: publicApi.TokenBroker
    {
      await using broker = new publicApi.TokenBroker({ tokenEndpoint: dex.tokenEndpoint, client: orders })
      used = broker
    }
    expect((await failureOf(used.getToken())).message).toBe('the broker is closed')
  })

  test('takes every cached token along: none is handed out, and none is kept', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const token = await running.broker.getToken()
    await running.broker.getToken({ scope: 'groups' })
    await running.broker.close()
    expect(running.broker.peekToken()).toBeUndefined()
    expect((await failureOf(running.broker.getToken())).message).toBe('the broker is closed')
    expect(running.broker.invalidate(token)).toBe(false)
    expect(running.broker.cacheStatistics).toMatchObject({ entries: 0, evictions: 0, hits: 0 })
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('keeps no token that arrives at the same moment', async () => {
    let arrived = () => {}
    await using running = await startBrokerWithDex({
      client: orders,
      transport: async (url, request) => {
        const response = await fetch(url, request)
        arrived()
        return response as never
      },
    })
    const closed = new Promise<void>(resolve => {
      arrived = () => resolve(running.broker.close())
    })
    await failureOf(running.broker.getToken())
    await closed
    expect(running.broker.cacheStatistics.entries).toBe(0)
  })

  test.each(['token', 'keys', 'discovery'] as const)(
    'while an answer of Dex is awaited (%s) leaves no line above info, and no failure in the metrics',
    async endpoint => {
      const events: unknown[] = []
      await using running = await startBrokerWithDex(dex => ({
        client: orders,
        issuer: dex.issuer,
        tokenEndpoint: undefined,
        observe: event => events.push(event),
      }))
      running.dex.setFault(endpoint, { kind: 'hang' })
      const counts = { token: 'tokenRequests', keys: 'keysRequests', discovery: 'discoveryRequests' } as const
      const asked = running.broker.getToken().catch(() => {})
      await until(() => running.dex.counts[counts[endpoint]] === 1)
      if (endpoint === 'keys') await asked
      await running.broker.close()
      await asked
      await new Promise(resolve => setImmediate(resolve))
      expect(running.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
      expect(events.filter(event => (event as { outcome: string }).outcome === 'failed')).toEqual([])
    },
  )

  test('at once after the first token of an issuer leaves no line above info', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      issuer: dex.issuer,
      tokenEndpoint: undefined,
    }))
    await running.broker.getToken()
    await running.broker.close()
    await new Promise(resolve => setImmediate(resolve))
    expect(running.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })

  test.each([
    ['that is never closed and idle', ''],
    ['that is never used', 'unused'],
    ['that is closed while Dex is silent', 'close'],
  ])('a process with a broker %s ends by itself', async (_, what) => {
    await using dex = await startDevDex({
      algorithm: 'ES256',
      clients: [{ id: 'orders', secret: 'orders-secret' }],
    })
    if (what === 'close') {
      dex.setFault('token', { kind: 'hang' })
      dex.setFault('keys', { kind: 'hang' })
    }
    const program = `
      import { TokenBroker } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      const broker = new TokenBroker({
        tokenEndpoint: ${JSON.stringify(dex.tokenEndpoint)},
        client: ${JSON.stringify(orders)},
        gate: { jwksUri: ${JSON.stringify(dex.jwksUri)} },
        requestTimeoutMs: 60_000,
      })
      if (${what !== 'unused'}) {
        const waiting = broker.getToken().catch(() => {})
        broker.missing()
        process.once('SIGUSR2', () => broker.close())
        await waiting
      }
      console.log('done')
    `
    await using child = new ManagedProcess(
      'the program',
      process.execPath,
      ['--input-type=module', '-e', program],
      { patienceMs: 0 },
    )
    if (what === 'close') {
      await until(() => dex.counts.tokenRequests === 1 && dex.counts.keysRequests === 1)
      child.signal('SIGUSR2')
    }
    expect(await within(child.ended(), 'the end of the process', 10_000)).toBe(0)
    expect(child.log).toBe('done\n')
  })
})

test('an observer that throws is logged, and the caller still gets the token', async () => {
  await using running = await startBrokerWithDex({
    observe() {
      throw new Error('the metrics are broken')
    },
  })
  await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  expect(running.log.lines.some(({ message }) => message === 'observer failed')).toBe(true)
})

test('a caller who has already left starts no request', async () => {
  await using running = await startBrokerWithDex()
  const reason = new Error('gone')
  await expect(running.broker.getToken({ ...orders, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  await caughtUp(running.dex)
  expect(running.dex.counts.tokenRequests).toBe(0)
})
