import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { hintText } from '../src/shared/hint.ts'
import { upstreamRequest } from '../src/shared/upstream-request.ts'
import { type BrokerWithDex, failureOf, orders, startBrokerWithDex } from './broker-with-dex.ts'

type Endpoint = 'token' | 'discovery' | 'keys'

interface Case {
  readonly endpoint: Endpoint
  readonly options: (dex: BrokerWithDex['dex']) => Partial<TokenBrokerOptions>
  readonly ask: (running: BrokerWithDex) => Promise<unknown>
  readonly urlOf: (dex: BrokerWithDex['dex']) => string
}

const cases: readonly Case[] = [
  {
    endpoint: 'token',
    options: dex => ({ tokenEndpoint: `${dex.tokenEndpoint}?key=s3cr3t` }),
    ask: ({ broker }) => broker.getToken(),
    urlOf: dex => `${dex.tokenEndpoint}?...`,
  },
  {
    endpoint: 'discovery',
    options: dex => ({ tokenEndpoint: undefined, issuer: dex.issuer }),
    ask: ({ broker }) => broker.getToken(),
    urlOf: dex => `${dex.issuer}/.well-known/openid-configuration`,
  },
  {
    endpoint: 'keys',
    options: dex => ({ gate: { jwksUri: `${dex.jwksUri}?key=s3cr3t` } }),
    ask: ({ broker, dex, clock }) =>
      broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })),
    urlOf: dex => `${dex.jwksUri}?...`,
  },
]

function start({ options }: Case, more: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(dex => ({ client: orders, ...options(dex), ...more }))
}

describe.each(cases)('a failed request to the endpoint for $endpoint', each => {
  const { endpoint, ask, urlOf } = each

  test('has its hint, URL, attempt and limit on the error and in the log', async () => {
    await using running = await start(each)
    running.dex.setFault(endpoint, { kind: 'html', status: 500 })
    const failure = await failureOf(ask(running))
    const request = { url: urlOf(running.dex), attempt: 1, timeoutMs: 5_000 }
    expect(failure.upstreamRequest).toEqual(request)
    const hint = failure.hint && hintText(failure.hint)
    expect(hint).toEqual(expect.any(String))
    expect(running.log.lines.at(-1)).toMatchObject({ level: 'error', fields: { ...request, hint } })
    expect(JSON.stringify([failure, running.log.lines])).not.toContain('s3cr3t')
  })

  test('that times out has the same, and the hint has the limit', async () => {
    await using running = await start(each, { requestTimeoutMs: 60.5 })
    running.dex.setFault(endpoint, { kind: 'hang' })
    const failure = await failureOf(ask(running))
    expect(failure.message).toMatch(/timed out$/)
    expect(failure.upstreamRequest).toEqual({ url: urlOf(running.dex), attempt: 1, timeoutMs: 61 })
    expect(failure.hint).toMatchObject({ problem: 'not_answered_in_time', detail: '61 ms' })
    expect(running.log.lines.at(-1)?.fields).toMatchObject({ attempt: 1, timeoutMs: 61 })
  })

  test('that has no connection has the same, and counts its attempts', async () => {
    await using running = await start(each)
    const url = urlOf(running.dex)
    await running.dex.close()
    const failure = await failureOf(ask(running))
    const attempt = endpoint === 'token' ? 3 : 1
    expect(failure.upstreamRequest).toEqual({ url, attempt, timeoutMs: 5_000 })
    expect(failure.hint?.problem).toBe('nothing_listens')
    expect(running.log.lines.at(-1)?.fields).toMatchObject({ url, attempt, cause: 'ECONNREFUSED' })
  })
})

test.each(cases.slice(1))('a lookup during the pause after a failure has the hint: $endpoint', async each => {
  await using running = await start(each)
  running.dex.setFault(each.endpoint, { kind: 'html', status: 500 })
  const first = await failureOf(each.ask(running))
  const second = await failureOf(each.ask(running))
  expect(second).toMatchObject({ hint: first.hint, upstreamRequest: first.upstreamRequest })
  expect(second.retryAfterMs).toBe(1_000)
  running.clock.advance(1_000)
  const third = await failureOf(each.ask(running))
  expect(third.upstreamRequest).toMatchObject({ attempt: 2 })
})

test('keys that are unavailable because of discovery have the URL of discovery', async () => {
  await using running = await startBrokerWithDex(dex => ({
    tokenEndpoint: undefined,
    issuer: dex.issuer,
    gate: {},
  }))
  const { broker, dex, clock } = running
  dex.setFault('discovery', { kind: 'html', status: 500 })
  const failure = await failureOf(
    broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })),
  )
  expect(failure).toMatchObject({
    code: 'jwks_unavailable',
    upstreamRequest: { url: `${dex.issuer}/.well-known/openid-configuration` },
  })
})

test('a rejection that is remembered has the request that was rejected', async () => {
  await using running = await startBrokerWithDex({ client: { ...orders, clientSecret: 'wrong' } })
  const first = await failureOf(running.broker.getToken())
  expect(first).toMatchObject({
    code: 'client_misconfigured',
    hint: { problem: 'credentials_rejected' },
    upstreamRequest: { url: running.dex.tokenEndpoint, attempt: 1 },
  })
  expect(await failureOf(running.broker.getToken())).toBe(first)
})

test('a call that an open circuit refuses has hint and request of the failure that opened it', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  running.dex.setFault('token', { kind: 'html', status: 500 })
  const failures = []
  for (let index = 0; index < 6; index++) failures.push(await failureOf(running.broker.getToken()))
  const [first, last] = [failures[0], failures.at(-1)]
  expect(last?.code).toBe('overloaded')
  expect(last).toMatchObject({ hint: first?.hint, upstreamRequest: first?.upstreamRequest })
  expect(last?.hint?.problem).toBe('upstream_failed')
})

test('no part of a URL that could hold a secret is shown', () => {
  expect(upstreamRequest('https://user:s3cr3t@dex.test:5556/dex/token?s3cr3t#s3cr3t', 2, 0.2)).toEqual({
    url: 'https://dex.test:5556/dex/token?...',
    attempt: 2,
    timeoutMs: 1,
  })
})
