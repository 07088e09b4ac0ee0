import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { freePort, MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import {
  fixturePath,
  type LogLine,
  type OnCallScene,
  startOnCallScene,
  tlsIdentity,
} from './on-call-scene.ts'
import { expectSighting, type Sighting } from './on-call-view.ts'

const reports = { id: 'reports', secret: 'reports-secret' }
const credentials = { 'x-client-id': reports.id, 'x-client-secret': reports.secret }
const tokenRequests = (outcome: string) => `token_request_duration_seconds_count{outcome="${outcome}"}`

interface Expected {
  /** Fields of the line of the log, or a part of their text. */
  readonly fields: Readonly<Record<string, RegExp>>
  /** Words that the hint has. */
  readonly hint: RegExp
  readonly code: string
  readonly sighting: Sighting
}

/** A request fails at the token endpoint: what the client, the log, the metric, `/readyz`, the status page and `doctor` say. */
async function expectTokenFailure(
  scene: OnCallScene,
  { fields, hint, code, sighting }: Expected,
): Promise<LogLine> {
  expect(await scene.ask(credentials)).toMatchObject({ status: 503, body: '' })
  const line = await scene.line({ code, level: /warn|error/ })
  expect(line).toMatchObject(matching({ ...fields, hint }))
  expect(await scene.metric(tokenRequests(code))).toBeGreaterThan(0)
  expect(await scene.metric(`checks_total{outcome="${code}",protocol="http"}`)).toBe(1)
  expect(await scene.ready()).toBe('ready')
  await expectSighting(scene, sighting)
  return line
}

/** The token endpoint does not answer at all: callers notice, and `doctor` finds where the way ends. */
function unreachable(
  cause: string,
  action: string,
  doctor: NonNullable<Sighting['doctor']>,
): Pick<Expected, 'code' | 'sighting'> {
  return {
    code: 'token_endpoint_unavailable',
    sighting: {
      page: {
        kind: 'token-requests-failing',
        summary: `Token requests to Dex fail: the token endpoint is unavailable (${cause})`,
        action,
      },
      doctor,
    },
  }
}

/** The token endpoint answers with something else than a token. */
function unexpectedAnswer(
  what: string,
  action: string | RegExp,
  doctor: NonNullable<Sighting['doctor']>,
): Pick<Expected, 'code' | 'sighting'> {
  const text = `1 of 1 checks since the start failed (invalid_token_response 1: token request failed: ${what})`
  return {
    code: 'invalid_token_response',
    sighting: { page: { kind: 'checks-failing', summary: text, action }, doctor },
  }
}

/** The page of a broker that is not ready, because discovery fails. */
function undiscovered(why: string, action: string | RegExp): NonNullable<Sighting['page']> {
  return { kind: 'discovery-failing', summary: `Discovery of Dex fails: ${why}`, action }
}

/** Discovery fails: no check reaches the broker while it is not ready. */
async function expectDiscoveryFailure(
  scene: OnCallScene,
  fields: Readonly<Record<string, RegExp>>,
  sighting: Sighting,
) {
  await expect.poll(() => scene.metric('discoveries_total{outcome="failed"}')).toBeGreaterThan(0)
  expect(await scene.ask(credentials)).toMatchObject({ status: 503 })
  expect(await scene.ready()).toMatch(/^not ready: DEX_ISSUER/)
  await scene.line(fields)
  await expectSighting(scene, sighting)
}

function matching(fields: Readonly<Record<string, RegExp>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, expect.stringMatching(text)]))
}

const refused = (variable: string) =>
  `check that Dex is running, then the host and the port in ${variable}: the connection was refused`

const nothingListens = (variable: string, port: number) => ({
  name: `connection 127.0.0.1:${port}`,
  fact: 'refused: nothing listens there (ECONNREFUSED)',
  advice: refused(variable),
})

const untrusted = ({ port }: DevDex) => ({
  name: `TLS 127.0.0.1:${port}`,
  fact: /^the certificate is not trusted: its CA "Dex of the tests" is unknown here/,
  advice: 'add the certificate of the CA "Dex of the tests" to DEX_CA_FILE',
})

function wrongPath(url: string): Pick<Expected, 'code' | 'sighting'> {
  const action =
    'correct the path of DEX_TOKEN_URL: for Dex it is the path of its issuer and /token, without a trailing slash'
  return unexpectedAnswer('the token endpoint answered with status 404', action, {
    name: 'token endpoint',
    fact: `${url} is not a token endpoint: status 404, text/plain`,
    advice: action,
  })
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
      STATIC_SCOPE: 'groups',
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
    const repair =
      'set STATIC_CLIENT_SECRET or STATIC_CLIENT_SECRET_FILE to the secret that Dex has for the client in STATIC_CLIENT_ID'
    await expectSighting(scene, {
      page: {
        kind: 'client-refused',
        summary: 'Dex refuses the client default: the configured client was rejected',
        action: repair,
      },
      doctor: { name: 'token of default', fact: /invalid_client/, advice: repair },
    })
  })

  test("The caller's client secret is wrong", async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    using volume = new MountedVolume({ secret: 'outdated' })
    const answer = await scene.ask({ ...credentials, 'x-client-secret': 'outdated' })
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('token_request_rejected') })
    const line = await scene.line({ code: 'token_request_rejected' })
    expect(line).toMatchObject({ clientId: reports.id, oauthError: 'invalid_client', count: 1 })
    expect(await scene.metric('checks_total{outcome="token_request_rejected",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    // The page leaves one caller out. With the caller's credentials, `doctor` gets the same answer.
    const file = volume.file('secret')
    await expectSighting(scene, {
      doctor: {
        args: ['--envoy', scene.url, '--client-id', reports.id, '--client-secret-file', file],
        name: 'passing request',
        fact: 'the broker refuses it: token_request_rejected (status 401)',
        advice: "compare the client's id, secret and scope with the client in Dex",
      },
    })
  })

  test('Dex does not have the client_credentials grant', async () => {
    await using dex = await startDex({ grantTypes: ['authorization_code'] })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    const action = /^upgrade Dex to a build with the client_credentials grant .* oauth2\.grantTypes$/
    await expectTokenFailure(scene, {
      fields: {},
      hint: /client_credentials.*oauth2\.grantTypes/,
      ...unexpectedAnswer('the token endpoint does not support the client_credentials grant', action, {
        name: 'grant',
        fact: 'Dex answers unsupported_grant_type',
        advice: action,
      }),
    })
  })

  test('DEX_ISSUER is set, and Dex does not list the client_credentials grant', async () => {
    await using dex = await startDex({ grantTypes: ['authorization_code'] })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await scene.line({ issuer: dex.issuer, hint: /client_credentials.*oauth2\.grantTypes/ })
    await expect.poll(() => scene.metric('discoveries_total{outcome="discovered"}')).toBe(1)
    await expect.poll(() => scene.ready()).toBe('ready')
    // The page speaks with the first check that fails; until then the log and `doctor` do.
    await expectSighting(scene, {
      doctor: {
        name: 'grant',
        fact: 'Dex answers unsupported_grant_type, and discovery does not list client_credentials',
        advice: /oauth2\.grantTypes$/,
      },
    })
  })

  test('The path of DEX_TOKEN_URL is wrong', async () => {
    await using dex = await startDex()
    const url = dex.tokenEndpoint.replace('/dex/token', '/token')
    await using scene = await brokerOf({ DEX_TOKEN_URL: url })
    await expectTokenFailure(scene, {
      fields: { msg: /404/, url: /\d\/token$/ },
      hint: /path of DEX_TOKEN_URL/,
      ...wrongPath(url),
    })
  })

  test('The path of DEX_ISSUER is wrong', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer.replace('/dex', '/oidc') })
    const hint = /DEX_ISSUER.*\/oidc\/\.well-known\/openid-configuration/
    const action =
      /^check DEX_ISSUER: there is no discovery document of Dex at http.*\/oidc\/\.well-known\/openid-configuration$/
    await expectDiscoveryFailure(
      scene,
      { msg: /404/, hint },
      {
        page: undiscovered('there is no discovery document (status 404)', action),
        doctor: {
          name: 'discovery',
          fact: /\/oidc\/\.well-known\/openid-configuration is not a discovery document: status 404/,
          advice: action,
        },
      },
    )
  })

  test('DEX_TOKEN_URL has a trailing slash', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_TOKEN_URL: `${dex.tokenEndpoint}/` })
    await expectTokenFailure(scene, {
      fields: { msg: /404/, url: /\/token\/$/ },
      hint: /path of DEX_TOKEN_URL.*trailing slash/,
      ...wrongPath(`${dex.tokenEndpoint}/`),
    })
  })

  test('DEX_ISSUER has a trailing slash that Dex does not have', async () => {
    await using dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: `${dex.issuer}/` })
    await expectDiscoveryFailure(
      scene,
      { issuer: /\/dex\/$/, hint: new RegExp(`DEX_ISSUER.*exactly.*${dex.issuer}`) },
      {
        page: undiscovered(
          'the discovery document names another issuer',
          new RegExp(`^set DEX_ISSUER to exactly the issuer in the configuration of Dex, ${dex.issuer};`),
        ),
        doctor: {
          name: 'discovery',
          fact: /DEX_ISSUER is http\S+: only the trailing slash is too much$/,
          advice: `set DEX_ISSUER to exactly ${dex.issuer}`,
        },
      },
    )
  })

  test('Nothing listens at DEX_TOKEN_URL', async () => {
    const port = await freePort()
    await using scene = await brokerOf({ DEX_TOKEN_URL: `http://127.0.0.1:${port}/dex/token` })
    await expectTokenFailure(scene, {
      fields: { cause: /^ECONNREFUSED$/, url: new RegExp(`:${port}/dex/token$`) },
      hint: /DEX_TOKEN_URL/,
      ...unreachable('ECONNREFUSED', refused('DEX_TOKEN_URL'), nothingListens('DEX_TOKEN_URL', port)),
    })
  })

  test('Nothing listens at DEX_ISSUER', async () => {
    const port = await freePort()
    await using scene = await brokerOf({ DEX_ISSUER: `http://127.0.0.1:${port}/dex` })
    const issuer = new RegExp(`:${port}/dex$`)
    await expectDiscoveryFailure(
      scene,
      { cause: /^ECONNREFUSED$/, issuer, hint: /DEX_ISSUER/ },
      {
        page: undiscovered('the issuer is unavailable (ECONNREFUSED)', refused('DEX_ISSUER')),
        doctor: nothingListens('DEX_ISSUER', port),
      },
    )
  })

  test('Dex stops after discovery', async () => {
    const dex = await startDex()
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await expect.poll(() => scene.ready()).toBe('ready')
    await dex.close()
    await expect
      .poll(
        async () => {
          await scene.ask(credentials)
          return scene.metric('checks_total{outcome="token_endpoint_unavailable",protocol="http"}')
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0)
    const line = await scene.line({ code: 'token_endpoint_unavailable', cause: 'ECONNREFUSED' })
    expect(line['hint']).toContain('DEX_ISSUER')
    expect(line['hint']).not.toContain('DEX_TOKEN_URL')
    expect(line['url']).toBe(dex.tokenEndpoint)
    expect(await scene.ready()).toBe('ready')
    const { sighting } = unreachable(
      'ECONNREFUSED',
      refused('DEX_ISSUER'),
      nothingListens('DEX_ISSUER', dex.port),
    )
    await expectSighting(scene, sighting)
  })

  test('Dex is slower than HTTP_TIMEOUT', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint, HTTP_TIMEOUT: '1s' })
    const action =
      'check the load and the storage behind DEX_TOKEN_URL, or raise HTTP_TIMEOUT: no response within 1000 ms'
    const line = await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { url: /\/dex\/token$/, msg: /in time|timed out/ },
      hint: /DEX_TOKEN_URL.*HTTP_TIMEOUT/,
      sighting: {
        page: {
          kind: 'token-requests-failing',
          summary: /^Token requests to Dex fail.*: the token endpoint timed out$/,
          action,
        },
        doctor: { name: 'token endpoint', fact: /did not answer within 1000 ms$/, advice: action },
      },
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
      fields: { cause: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, url: /^https:.*\/dex\/token$/ },
      hint: /DEX_CA_FILE/,
      ...unreachable(
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'add the CA of the certificate to DEX_CA_FILE',
        untrusted(dex),
      ),
    })
  })

  test('DEX_CA_FILE is missing for a private authority', async () => {
    await using dex = await startDex({ tls: tlsIdentity('dex') })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    await expectDiscoveryFailure(
      scene,
      { cause: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, issuer: /^https:/, hint: /DEX_CA_FILE/ },
      {
        page: undiscovered(
          'the issuer is unavailable (DEPTH_ZERO_SELF_SIGNED_CERT)',
          'add the CA of the certificate to DEX_CA_FILE',
        ),
        doctor: untrusted(dex),
      },
    )
  })

  test('The certificate of Dex is for another host name', async () => {
    await using dex = await startDex({ tls: tlsIdentity('other-host') })
    await using scene = await brokerOf({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_CA_FILE: fixturePath('other-host.crt'),
    })
    const action =
      'set DEX_TOKEN_URL to a host name of the certificate, or issue a certificate for this host name'
    await expectTokenFailure(scene, {
      fields: { cause: /^ERR_TLS_CERT_ALTNAME_INVALID$/, url: /^https:.*\/dex\/token$/ },
      hint: /host name.*DEX_TOKEN_URL|DEX_TOKEN_URL.*host name/,
      ...unreachable('ERR_TLS_CERT_ALTNAME_INVALID', action, {
        name: `TLS 127.0.0.1:${dex.port}`,
        fact: /^the certificate is for dex\.example\.com, not for 127\.0\.0\.1/,
        advice: action,
      }),
    })
  })

  test('The certificate of Dex is expired', async () => {
    await using dex = await startDex({ tls: tlsIdentity('expired') })
    await using scene = await brokerOf({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_CA_FILE: fixturePath('expired.crt'),
    })
    const action =
      'renew the certificate at DEX_TOKEN_URL, or correct the clock of this host: the certificate is expired or not valid yet'
    await expectTokenFailure(scene, {
      fields: { cause: /^CERT_HAS_EXPIRED$/, url: /^https:.*\/dex\/token$/ },
      hint: /certificate at DEX_TOKEN_URL.*expired/,
      ...unreachable('CERT_HAS_EXPIRED', action, {
        name: `TLS 127.0.0.1:${dex.port}`,
        fact: /^the certificate "expired Dex" expired \d+ days ago, on 2020-02-01/,
        advice: action,
      }),
    })
  })

  test('The host name of Dex does not resolve', async () => {
    await using scene = await brokerOf({ DEX_TOKEN_URL: 'https://dex.invalid/dex/token' })
    const action = 'check the host name in DEX_TOKEN_URL: it does not resolve'
    await expectTokenFailure(scene, {
      code: 'token_endpoint_unavailable',
      fields: { cause: /^(ENOTFOUND|EAI_AGAIN)$/, url: /^https:\/\/dex\.invalid\/dex\/token$/ },
      hint: /host name in DEX_TOKEN_URL.*resolve/,
      sighting: {
        page: {
          kind: 'token-requests-failing',
          summary:
            /^Token requests to Dex fail: the token endpoint is unavailable \((ENOTFOUND|EAI_AGAIN)\)$/,
          action,
        },
        doctor: {
          name: 'name dex.invalid',
          fact: /^does not resolve \((ENOTFOUND|EAI_AGAIN)\)$/,
          advice: action,
        },
      },
    })
  })

  test('A proxy in front of Dex answers 502', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'html', status: 502 })
    await using scene = await brokerOf({ DEX_TOKEN_URL: dex.tokenEndpoint })
    const action = 'check that Dex is running: the proxy at DEX_TOKEN_URL cannot reach it'
    await expectTokenFailure(scene, {
      code: 'invalid_token_response',
      fields: { msg: /502/, url: /\/dex\/token$/ },
      hint: /DEX_TOKEN_URL.*Dex is running|Dex is running.*DEX_TOKEN_URL/,
      sighting: {
        page: {
          kind: 'token-requests-failing',
          summary: /^Token requests to Dex fail.*: the token endpoint answered with status 502$/,
          action,
        },
        doctor: {
          name: 'token endpoint',
          fact: /is not a token endpoint: status 502, text\/html$/,
          advice: action,
        },
      },
    })
  })

  test('A proxy in front of Dex answers discovery with 502', async () => {
    await using dex = await startDex()
    dex.setFault('discovery', { kind: 'html', status: 502 })
    await using scene = await brokerOf({ DEX_ISSUER: dex.issuer })
    const action = 'check that Dex is running: the proxy at DEX_ISSUER cannot reach it'
    await expectDiscoveryFailure(
      scene,
      { msg: /502/, hint: /DEX_ISSUER.*Dex is running|Dex is running.*DEX_ISSUER/ },
      {
        page: undiscovered('the issuer answered discovery with status 502', action),
        doctor: {
          name: 'discovery',
          fact: /is not a discovery document: status 502, text\/html$/,
          advice: action,
        },
      },
    )
  })
})
