import { execFile } from 'node:child_process'
import { inspect, promisify } from 'node:util'
import { startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import * as publicApi from '../src/index.ts'
import { failureOf, orders, startBrokerWithDex } from './broker-with-dex.ts'

test('the package has at most ten names at run time', () => {
  expect(Object.keys(publicApi).sort()).toEqual([
    'BrokerError',
    'TokenBroker',
    'assertTokenRequest',
    'brokerErrorCodes',
    'checkedTokenRequest',
    'createFetch',
    'headerLines',
    'headerProvider',
    'refusalOf',
    'refusesToken',
  ])
})

test('a broker can be made while Dex is down, and asks for nothing before it has to', async () => {
  await using running = await startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri } }))
  expect(running.broker.peekToken()).toBeUndefined()
  expect(running.dex.counts).toEqual({
    tokenRequests: 0,
    keysRequests: 0,
    discoveryRequests: 0,
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

  test('leaves cached tokens readable and counts as they are', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const token = await running.broker.getToken()
    await running.broker.close()
    expect(running.broker.peekToken()).toBe(token)
    expect(running.broker.cacheStatistics.entries).toBe(1)
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
        if (${what === 'close'}) setTimeout(() => broker.close(), 100)
        await waiting
      }
      console.log('done')
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 10_000,
    })
    expect(stdout).toBe('done\n')
  })
})

test('an observer that throws is logged, and the caller still gets the token', async () => {
  await using running = await startBrokerWithDex({
    observe() {
      throw new Error('the metrics are broken')
    },
  })
  await expect(running.broker.getToken(orders)).resolves.toBeDefined()
  expect(running.log.lines.some(({ message }) => message === 'the observer failed')).toBe(true)
})

test('a caller who has already left starts no request', async () => {
  await using running = await startBrokerWithDex()
  const reason = new Error('gone')
  await expect(running.broker.getToken({ ...orders, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(running.dex.counts.tokenRequests).toBe(0)
})
