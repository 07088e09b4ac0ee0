import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { freePort } from '@broker/testing'
import { expect, test } from 'vitest'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import {
  fixturePath,
  type LogLine,
  type OnCallScene,
  startOnCallScene,
  tlsIdentity,
} from './on-call-scene.ts'

const reports = { id: 'reports', secret: 'reports-secret' }
const credentials = { 'x-client-id': reports.id, 'x-client-secret': reports.secret }
const tokenRequests = (outcome: string) => `token_request_duration_seconds_count{outcome="${outcome}"}`

interface Expected {
  /** Fields of the line of the log, or a part of their text. */
  readonly fields: Readonly<Record<string, RegExp>>
  /** Words that the hint has. */
  readonly hint: RegExp
  readonly code: string
}

/** A request fails at the token endpoint: what the client, the log, the metric and `/readyz` say. */
async function expectTokenFailure(scene: OnCallScene, { fields, hint, code }: Expected): Promise<LogLine> {
  expect(await scene.ask(credentials)).toMatchObject({ status: 503, body: '' })
  const line = await scene.line({ code, level: /warn|error/ })
  expect(line).toMatchObject(matching({ ...fields, hint }))
  expect(await scene.metric(tokenRequests(code))).toBeGreaterThan(0)
  expect(await scene.metric(`checks_total{outcome="${code}",protocol="http"}`)).toBe(1)
  expect(await scene.ready()).toBe('ready')
  return line
}

/** Discovery fails: no check reaches the broker while it is not ready. */
async function expectDiscoveryFailure(scene: OnCallScene, fields: Readonly<Record<string, RegExp>>) {
  await expect.poll(() => scene.metric('discoveries_total{outcome="failed"}')).toBeGreaterThan(0)
  expect(await scene.ask(credentials)).toMatchObject({ status: 503 })
  expect(await scene.ready()).toMatch(/^not ready: DEX_ISSUER/)
  await scene.line(fields)
}

function matching(fields: Readonly<Record<string, RegExp>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, expect.stringMatching(text)]))
}

function startDex(options: DevDexOptions = {}): Promise<DevDex> {
  return startDevDex({ clients: [reports], ...options })
}

const brokerOf = (environment: Readonly<Record<string, string>>) => startOnCallScene({ environment })

describeWithEnvoy('between the broker and Dex', () => {
  test('The configured client secret is wrong', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'orders',
      STATIC_CLIENT_ID: reports.id,
      STATIC_CLIENT_SECRET: 'outdated',
    })
    await expect.poll(() => scene.ready()).toBe('ready')
    const now = Math.floor(Date.now() / 1000)
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'orders', sub: 'alice', iat: now, exp: now + 600 })
    await expect
      .poll(async () => (await scene.ask({ authorization: `Bearer ${jwt}` })).status, { interval: 20 })
      .toBe(503)
    const line = await scene.line({ code: 'client_misconfigured' })
    expect(line).toMatchObject({ oauthError: 'invalid_client', clientId: reports.id })
    expect(line['hint']).toContain('STATIC_CLIENT_ID')
    expect(line['hint']).toContain('STATIC_CLIENT_SECRET')
    expect(
      await scene.metric('checks_total{outcome="client_misconfigured",protocol="http"}'),
    ).toBeGreaterThan(0)
  })

  test("The caller's client secret is wrong", async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    const answer = await scene.ask({ ...credentials, 'x-client-secret': 'outdated' })
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('token_request_rejected') })
    const line = await scene.line({ code: 'token_request_rejected' })
    expect(line).toMatchObject({ clientId: reports.id, oauthError: 'invalid_client', count: 1 })
    expect(await scene.metric('checks_total{outcome="token_request_rejected",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
  })

  test('Dex does not have the client_credentials grant', async () => {
    await using dex = await startDex({ grantTypes: ['authorization_code'] })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    const code = 'invalid_token_response'
    await expectTokenFailure(scene, { code, fields: {}, hint: /client_credentials.*oauth2\.grantTypes/ })
  })

  test('DEX_ISSUER is set, and Dex does not list the client_credentials grant', async () => {
    await using dex = await startDex({ grantTypes: ['authorization_code'] })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await scene.line({ issuer: dex.issuer, hint: /client_credentials.*oauth2\.grantTypes/ })
    await expect.poll(() => scene.metric('discoveries_total{outcome="discovered"}')).toBe(1)
    await expect.poll(() => scene.ready()).toBe('ready')
  })

  test('The path of DEX_TOKEN_URL is wrong', async () => {
    await using dex = await startDex()
    const url = dex.tokenEndpoint.replace('/dex/token', '/token')
    await using scene = await brokerOf({ DEX_TOKEN_URL: url })
    await expectTokenFailure(scene, {
      code: 'invalid_token_response',
      fields: { msg: /404/, url: /\d\/token$/ },
      hint: /path of DEX_TOKEN_URL/,
    })
  })

  test('The path of DEX_ISSUER is wrong', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer.replace('/dex', '/oidc') })
    const hint = /DEX_ISSUER.*\/oidc\/\.well-known\/openid-configuration/
    await expectDiscoveryFailure(scene, { msg: /404/, hint })
  })

  test('DEX_TOKEN_URL has a trailing slash', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_TOKEN_URL: `${dex.tokenEndpoint}/` })
    await expectTokenFailure(scene, {
      code: 'invalid_token_response',
      fields: { msg: /404/, url: /\/token\/$/ },
      hint: /path of DEX_TOKEN_URL.*trailing slash/,
    })
  })

  test('DEX_ISSUER has a trailing slash that Dex does not have', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: `${dex.issuer}/` })
    await expectDiscoveryFailure(scene, {
      issuer: /\/dex\/$/,
      hint: new RegExp(`DEX_ISSUER.*exactly.*${dex.issuer}`),
    })
  })

  test('Nothing listens at DEX_TOKEN_URL', async () => {
    const port = await freePort()
    await using scene = await brokerOf({ DEX_TOKEN_URL: `http://127.0.0.1:${port}/dex/token` })
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^ECONNREFUSED$/, url: new RegExp(`:${port}/dex/token$`) },
      hint: /DEX_TOKEN_URL/,
    })
  })

  test('Nothing listens at DEX_ISSUER', async () => {
    const port = await freePort()
    await using scene = await brokerOf({ DEX_ISSUER: `http://127.0.0.1:${port}/dex` })
    const issuer = new RegExp(`:${port}/dex$`)
    await expectDiscoveryFailure(scene, { cause: /^ECONNREFUSED$/, issuer, hint: /DEX_ISSUER/ })
  })

  test('Dex stops after discovery', async () => {
    const dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await expect.poll(() => scene.ready()).toBe('ready')
    await dex.close()
    await expect
      .poll(async () => {
        await scene.ask(credentials)
        return scene.metric('checks_total{outcome="token_endpoint_unavailable",protocol="http"}')
      })
      .toBeGreaterThan(0)
    const line = await scene.line({ code: 'token_endpoint_unavailable', cause: 'ECONNREFUSED' })
    expect(line['hint']).toContain('DEX_ISSUER')
    expect(line['hint']).not.toContain('DEX_TOKEN_URL')
    expect(line['url']).toBe(dex.tokenEndpoint)
    expect(await scene.ready()).toBe('ready')
  })

  test('Dex is slower than HTTP_TIMEOUT', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint, HTTP_TIMEOUT: '1s' })
    const line = await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { url: /\/dex\/token$/, msg: /in time|timed out/ },
      hint: /DEX_TOKEN_URL.*HTTP_TIMEOUT/,
    })
    expect(line['timeoutMs']).toBe(1_000)
  })

  test('DEX_CA_FILE does not have the authority of the certificate of Dex', async () => {
    await using dex = await startDex({ tls: tlsIdentity('dex') })
    await using scene = await brokerOf({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_CA_FILE: fixturePath('other-host.crt'),
    })
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, url: /^https:.*\/dex\/token$/ },
      hint: /DEX_CA_FILE/,
    })
  })

  test('DEX_CA_FILE is missing for a private authority', async () => {
    await using dex = await startDex({ tls: tlsIdentity('dex') })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await expectDiscoveryFailure(scene, {
      cause: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/,
      issuer: /^https:/,
      hint: /DEX_CA_FILE/,
    })
  })

  test('The certificate of Dex is for another host name', async () => {
    await using dex = await startDex({ tls: tlsIdentity('other-host') })
    await using scene = await brokerOf({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_CA_FILE: fixturePath('other-host.crt'),
    })
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^ERR_TLS_CERT_ALTNAME_INVALID$/, url: /^https:.*\/dex\/token$/ },
      hint: /host name.*DEX_TOKEN_URL|DEX_TOKEN_URL.*host name/,
    })
  })

  test('The certificate of Dex is expired', async () => {
    await using dex = await startDex({ tls: tlsIdentity('expired') })
    await using scene = await brokerOf({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_CA_FILE: fixturePath('expired.crt'),
    })
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^CERT_HAS_EXPIRED$/, url: /^https:.*\/dex\/token$/ },
      hint: /certificate at DEX_TOKEN_URL.*expired/,
    })
  })

  test('The host name of Dex does not resolve', async () => {
    await using scene = await brokerOf({ DEX_TOKEN_URL: 'https://dex.invalid/dex/token' })
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^(ENOTFOUND|EAI_AGAIN)$/, url: /^https:\/\/dex\.invalid\/dex\/token$/ },
      hint: /host name in DEX_TOKEN_URL.*resolve/,
    })
  })

  test('A proxy in front of Dex answers 502', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'html', status: 502 })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    await expectTokenFailure(scene, {
      code: 'invalid_token_response',
      fields: { msg: /502/, url: /\/dex\/token$/ },
      hint: /DEX_TOKEN_URL.*Dex is running|Dex is running.*DEX_TOKEN_URL/,
    })
  })

  test('A proxy in front of Dex answers discovery with 502', async () => {
    await using dex = await startDex()
    dex.setFault('discovery', { kind: 'html', status: 502 })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await expectDiscoveryFailure(scene, {
      msg: /502/,
      hint: /DEX_ISSUER.*Dex is running|Dex is running.*DEX_ISSUER/,
    })
  })
})
