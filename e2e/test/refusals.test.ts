import { startBroker } from '@broker/testing'
import { afterEach, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, needsFaults } from '../harness/dex.ts'
import { withCheckTimeout } from '../harness/listener-variants.ts'
import { failedCheck, headersOfEnvoy, seenByClient } from '../harness/protocol.ts'
import { brokerEnvironment, startSystem } from '../harness/system.ts'
import { describeWithEnvoy, requireEnvoy, useSystem } from '../harness/with-envoy.ts'

describeWithEnvoy('a refusal, as the client sees it', () => {
  const system = useSystem(() => ({
    listeners: {
      impatient: withCheckTimeout('1s'),
      'default status': ({ extAuthz }) => {
        delete extAuthz['status_on_error']
      },
      'fail open': ({ extAuthz }) => {
        extAuthz['failure_mode_allow'] = true
      },
    },
  }))
  afterEach(() => {
    system().dex.lookAlike?.clearFaults()
    system().backend.clear()
  })
  /** Another scope for each test, so that nothing is in the cache. */
  let scopes = 0
  const uncached = () => ({
    ...credentials,
    'x-scope': ['openid', 'email', 'profile', 'groups', 'openid email'][scopes++] ?? '',
  })

  test.each([
    ['no credentials', {}, 'missing_credentials'],
    ['a wrong secret', { ...credentials, 'x-client-secret': 'wrong' }, 'token_request_rejected'],
    ['an unknown client', { ...credentials, 'x-client-id': 'nobody' }, 'token_request_rejected'],
    ['a scope that Dex refuses', { ...credentials, 'x-scope': 'offline_access' }, 'token_request_rejected'],
  ])('401 for %s: status, challenge and body come from the broker', async (_, headers, error) => {
    const answer = await ask(system().port(), { headers })
    expect(answer).toMatchObject({
      status: 401,
      headers: {
        'content-type': 'application/json',
        'www-authenticate': 'Bearer realm="dex-token-broker"',
        'cache-control': 'no-store',
      },
    })
    expect(JSON.parse(answer.body)).toEqual({ error, error_description: expect.any(String) })
    const expected = ['cache-control', 'content-type', 'www-authenticate', ...headersOfEnvoy]
    expect(Object.keys(answer.headers).sort()).toEqual(expected.sort())
    expect(answer.body).not.toContain('127.0.0.1')
    expect(system().backend.requests).toEqual([])
  })

  test('400 for a credential that cannot be sent to Dex', async () => {
    const answer = await ask(system().port(), { headers: { ...credentials, 'x-client-id': 'x'.repeat(257) } })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body).error).toBe('invalid_request')
    expect(system().backend.requests).toEqual([])
  })

  test('502 of the broker, for an answer of Dex without a token', async ({ skip }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    dex.setFault('token', { kind: 'html', status: 200 })
    const headers = uncached()
    expect((await ask(system().broker.port, { target: '/check', headers })).status).toBe(502)
    const answer = await ask(system().port(), { headers })
    expect(failedCheck(answer)).toEqual(seenByClient({ status: 502, error: 'invalid_token_response' }))
    expect(system().backend.requests).toEqual([])
  })

  test('finding 3, livelock: a Dex slower than the check’s timeout fills the cache, and a later request succeeds', async ({
    skip,
  }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    dex.setFault('token', { kind: 'slow', delayMs: 2_500 })
    dex.resetRecords()
    const headers = uncached()
    expect((await ask(system().port('impatient'), { headers })).status).toBe(503)
    await expect
      .poll(async () => (await ask(system().port('impatient'), { headers })).status, { timeout: 15_000 })
      .toBe(200)
    expect(dex.counts.tokenRequests).toBe(1)
    expect(system().backend.requests).toMatchObject([{ tokenAudience: caller.id }])
  })

  test('a check may take as long as its timeout, and no shorter because of the retries', async ({ skip }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    dex.setFault('token', { kind: 'slow', delayMs: 3_500 })
    expect((await ask(system().port(), { headers: uncached() })).status).toBe(200)
  })

  test('a client that leaves during its check does not spoil the request to Dex for others', async ({
    skip,
  }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    dex.setFault('token', { kind: 'slow', delayMs: 1_000 })
    dex.resetRecords()
    const headers = uncached()
    const left = fetch(`http://127.0.0.1:${system().port()}/`, { headers, signal: AbortSignal.timeout(300) })
    await expect(left).rejects.toThrow('timeout')
    expect((await ask(system().port(), { headers })).status).toBe(200)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('finding 8: the broker’s 503 with its body and Retry-After comes through over gRPC, and never over HTTP', async ({
    skip,
  }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    // From here on the broker keeps away from Dex for 7 s: every test below starts another broker.
    dex.setFault('token', { kind: 'answer', status: 429, headers: { 'retry-after': '7' }, body: 'slow down' })
    const headers = uncached()
    const byBroker = await ask(system().broker.port, { target: '/check/orders', headers })
    expect(byBroker).toMatchObject({ status: 503, headers: { 'retry-after': '7' } })
    expect(JSON.parse(byBroker.body).error).toBe('token_endpoint_unavailable')

    // The client is barred for those 7 s, of which a second may have passed.
    const refusal = { status: 503, error: 'overloaded', retryAfter: expect.stringMatching(/^[67]$/) }
    const byEnvoy = await ask(system().port(), { headers })
    expect(failedCheck(byEnvoy)).toEqual(seenByClient(refusal))
    const byDefault = await ask(system().port('default status'), { headers })
    expect(failedCheck(byDefault)).toEqual(seenByClient(refusal, 403))
    expect(system().backend.requests).toEqual([])
  })

  test('finding 10, a Dex without the grant: 5xx and not 401, because the caller did nothing wrong', async () => {
    await using crippled = await startSystem(requireEnvoy(), { dex: { grantTypes: ['authorization_code'] } })
    const byBroker = await ask(crippled.broker.port, { target: '/check', headers: credentials })
    expect(byBroker.status).toBe(502)
    expect(byBroker.headers['www-authenticate']).toBeUndefined()
    const answer = await ask(crippled.port(), { headers: credentials })
    expect(failedCheck(answer)).toEqual(seenByClient({ status: 502, error: JSON.parse(byBroker.body).error }))
    expect(crippled.broker.process.log).toContain('oauth2.grantTypes')
    expect(crippled.broker.process.log).not.toContain(caller.secret)
    expect(crippled.backend.requests).toEqual([])
  })

  test('with Dex down a cached token is still used, and a caller without one gets 503', async () => {
    await using orphaned = await startSystem(requireEnvoy())
    expect((await ask(orphaned.port(), { headers: credentials })).status).toBe(200)
    await orphaned.dex[Symbol.asyncDispose]()
    expect((await ask(orphaned.port(), { headers: credentials })).status).toBe(200)
    orphaned.backend.clear()
    const uncachedScope = { ...credentials, 'x-scope': 'openid email' }
    const byBroker = await ask(orphaned.broker.port, { target: '/check', headers: uncachedScope })
    const retryAfter = byBroker.headers['retry-after'] ?? ''
    expect(retryAfter).toMatch(/^[1-9]\d*$/)
    expect(failedCheck(await ask(orphaned.port(), { headers: uncachedScope }))).toEqual(
      seenByClient({ status: 503, error: 'token_endpoint_unavailable', retryAfter }),
    )
    expect(orphaned.backend.requests).toEqual([])
  })

  test('with the broker down the client gets 503, and the backend nothing; a broker in its place serves again', async () => {
    const { process, ...ports } = system().broker
    process.signal('SIGKILL')
    await process.ended()
    for (const target of ['/', '/healthz', '/check']) {
      expect(await ask(system().port(), { target, headers: credentials })).toMatchObject({
        status: 503,
        body: '',
      })
    }
    expect((await ask(system().port('default status'), { headers: credentials })).status).toBe(403)
    expect(system().backend.requests).toEqual([])

    // Why the shipped bootstrap never has it: the request is forwarded without a token, and with the secret.
    expect((await ask(system().port('fail open'), { headers: credentials })).status).toBe(200)
    const [leaked] = system().backend.requests
    expect(leaked?.tokenAudience).toBeUndefined()
    expect(leaked?.header('x-client-secret')).toEqual([caller.secret])

    await using _ = await startBroker(brokerEnvironment(system().dex), ports)
    await expect
      .poll(async () => (await ask(system().port(), { headers: credentials })).status, { timeout: 10_000 })
      .toBe(200)
  })
})
