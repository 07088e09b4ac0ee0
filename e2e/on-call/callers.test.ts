import { type DevDex, startDevDex } from '@broker/dev-dex'
import { MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { withoutPathPrefix, withoutUpstreamHeader } from '../harness/listener-variants.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { type LogLine, type OnCallOptions, type OnCallScene, startOnCallScene } from './on-call-scene.ts'
import { expectProblem, expectSighting, type Sighting } from './on-call-view.ts'

const reports = { id: 'reports', secret: 'reports-secret' }
const credentials = { 'x-client-id': reports.id, 'x-client-secret': reports.secret }

/** A Dex whose clock is off by so many seconds. */
function startDex(offBySeconds = 0): Promise<DevDex> {
  return startDevDex({ clients: [reports], now: () => Date.now() + offBySeconds * 1000 })
}

/** A broker whose gate accepts JWTs by Dex for `orders`. */
async function startGate(
  dex: DevDex,
  environment: Readonly<Record<string, string>> = {},
  options: Omit<OnCallOptions, 'environment'> = {},
): Promise<OnCallScene> {
  const scene = await startOnCallScene({
    ...options,
    environment: {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'orders',
      STATIC_CLIENT_ID: reports.id,
      STATIC_CLIENT_SECRET: reports.secret,
      STATIC_SCOPE: 'groups',
      ...environment,
    },
  })
  await expect.poll(() => scene.ready()).toBe('ready')
  await expect.poll(async () => (await scene.ask()).status, { interval: 20 }).toBe(401)
  return scene
}

/** A JWT whose times are off by so many seconds; it lives ten minutes. */
function bearer(dex: DevDex, claims: Readonly<Record<string, unknown>> = {}, offBySeconds = 0) {
  const iat = Math.floor(Date.now() / 1000) + offBySeconds
  const payload = { iss: dex.issuer, aud: 'orders', sub: 'alice', iat, nbf: iat, exp: iat + 600, ...claims }
  return { authorization: `Bearer ${dex.signJwt(payload)}` }
}

/** The page and `doctor --jwt-file`, when the gate has refused this caller and nobody else has passed. */
async function expectSightingOfRefusals(
  scene: OnCallScene,
  headers: Readonly<Record<string, string>>,
  {
    reason,
    action,
    doctor,
    page,
  }: {
    reason: string
    action: RegExp
    doctor: Omit<NonNullable<Sighting['doctor']>, 'args'>
    page?: Sighting['page']
  },
): Promise<void> {
  for (let count = 0; count < 5; count++) await scene.ask(headers)
  using volume = new MountedVolume({ jwt: headers['authorization'] ?? '' })
  await expectSighting(scene, {
    page: page ?? {
      kind: 'everybody-refused',
      summary: new RegExp(`^Nobody passes: \\d+ of \\d+ checks .*\\(invalid_token \\d+: ${reason}`),
      action,
    },
    doctor: { args: ['--jwt-file', volume.file('jwt')], ...doctor },
  })
}

/** The gate refuses a JWT: what the client, the log, the metric and `/readyz` say. */
async function expectRefusal(
  scene: OnCallScene,
  headers: Readonly<Record<string, string>>,
  { reason, hint }: { reason: string; hint: string },
): Promise<LogLine> {
  const answer = await scene.ask(headers)
  expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('invalid_token') })
  expect(answer.body).not.toContain(hint)
  const line = await scene.line({ reason })
  expect(line['hint']).toContain(hint)
  expect(await scene.metric(`jwt_refusals_total{reason="${reason}"}`)).toBe(1)
  expect(await scene.metric('checks_total{outcome="invalid_token",protocol="http"}')).toBeGreaterThan(0)
  expect(await scene.ready()).toBe('ready')
  return line
}

const clockIsBehind: Sighting = {
  page: {
    kind: 'clock-skew',
    summary: /^The clock of this host is .* behind the clock of Dex$/,
    action: /NTP/,
    isOfUnknownAge: true,
  },
  doctor: {
    name: 'clock',
    fact: /^this host is .* behind the server$/,
    advice:
      'correct the clock of this host: it accepts JWTs that are expired, and refuses new ones that have nbf',
  },
}

describeWithEnvoy('between callers, Envoy and the gate', () => {
  test('The clock of the broker is ahead', async () => {
    await using dex = await startDex(-700)
    await using scene = await startGate(dex)
    const headers = bearer(dex, {}, -700)
    const line = await expectRefusal(scene, headers, { reason: 'expired', hint: 'NTP' })
    expect(line['hint']).toMatch(/the clock of this host is (698|699|700) s ahead of the clock of Dex/)
    expect(line['clockSkewSeconds']).toBeGreaterThan(690)
    expect(line['secondsPastExp']).toBeGreaterThanOrEqual(100)
    expect(line['secondsPastExp']).toBeLessThan(110)
    await scene.line({
      msg: 'clock of this host differs from the issuer',
      hint: /s ahead of the clock of Dex/,
    })
    expect(await scene.metric('clock_skew_seconds{issuer="own dex"}')).toBeGreaterThan(690)
    await expectSighting(scene, {
      page: {
        kind: 'clock-skew',
        summary: /^The clock of this host is .* ahead of the clock of Dex$/,
        action: /NTP/,
        isOfUnknownAge: true,
      },
      doctor: {
        name: 'clock',
        fact: /^this host is .* ahead of the server$/,
        advice:
          'correct the clock of this host: it refuses JWTs that are still valid, and drops tokens early',
      },
    })
  })

  test('The JWT is expired, and the clocks agree', async () => {
    await using dex = await startDex()
    await using scene = await startGate(dex)
    const headers = bearer(dex, {}, -700)
    const line = await expectRefusal(scene, headers, { reason: 'expired', hint: 'JWT_CLOCK_TOLERANCE' })
    expect(line).toMatchObject({
      clockSkewSeconds: 0,
      hint: expect.stringContaining('the caller must renew its JWT'),
    })
    await expectSightingOfRefusals(scene, headers, {
      reason: 'expired',
      action: /If the clocks agree, the caller must renew its JWT$/,
      doctor: {
        name: 'time',
        fact: /^it is expired; .*expired 100 s ago|^it is expired; .*expired \d+(?:\.\d)? (?:s|min) ago/,
        advice: /the caller must renew its JWT$/,
      },
    })
  })

  test('The clock of the JWT issuer is ahead', async () => {
    await using dex = await startDex(700)
    await using scene = await startGate(dex)
    const headers = bearer(dex, {}, 700)
    const line = await expectRefusal(scene, headers, { reason: 'not_yet_valid', hint: 'NTP' })
    expect(line['hint']).toMatch(/the clock of this host is (698|699|700) s behind the clock of Dex/)
    expect(line['secondsBeforeNbf']).toBeGreaterThan(690)
    await expectSighting(scene, clockIsBehind)
  })

  test('The clock of the broker is behind', async () => {
    await using dex = await startDex(700)
    await using scene = await startGate(dex)
    // By the clock of Dex it expired a minute ago.
    const headers = bearer(dex, { nbf: 0 }, 40)
    expect(await scene.ask(headers)).toMatchObject({ status: 200 })
    const line = await scene.line({ msg: 'clock of this host differs from the issuer' })
    expect(line).toMatchObject({
      level: expect.anything(),
      hint: expect.stringMatching(/NTP.* the clock of this host is (698|699|700) s behind the clock of Dex/),
    })
    expect(await scene.metric('clock_skew_seconds{issuer="own dex"}')).toBeLessThan(-690)
    expect(await scene.ready()).toBe('ready')
    await expectSighting(scene, clockIsBehind)
  })

  test('JWT_AUDIENCE is not the audience of the JWTs', async () => {
    await using dex = await startDex()
    await using scene = await startGate(dex)
    const headers = bearer(dex, { aud: 'invoices' })
    const line = await expectRefusal(scene, headers, { reason: 'audience', hint: 'JWT_AUDIENCE' })
    expect(line).toMatchObject({ aud: 'invoices', expectedAud: ['orders'], iss: dex.issuer })
    const action = /^compare JWT_AUDIENCE with aud of the JWTs/
    await expectSightingOfRefusals(scene, headers, {
      reason: 'audience',
      action,
      doctor: { name: 'audience', fact: /; aud invoices; accepted: orders$/, advice: action },
    })
  })

  test('JWT_ISSUER is not the issuer of the JWTs', async () => {
    await using dex = await startDex()
    const expectedIss = 'https://dex.example.com/dex'
    await using scene = await startGate(dex, { JWT_ISSUER: expectedIss })
    const headers = bearer(dex)
    const line = await expectRefusal(scene, headers, { reason: 'issuer', hint: 'JWT_ISSUER' })
    expect(line).toMatchObject({ iss: dex.issuer, expectedIss })
    const action = /^compare JWT_ISSUER with iss of the JWTs/
    await expectSightingOfRefusals(scene, headers, {
      reason: 'issuer',
      action,
      doctor: {
        name: 'issuer',
        fact: new RegExp(`; iss ${dex.issuer}; accepted: ${expectedIss}$`),
        advice: action,
      },
    })
    // Before the first caller comes, too.
    expect(await scene.problems()).toContainEqual(
      expect.objectContaining({
        kind: 'configuration-warning',
        summary: expect.stringMatching(/^JWT_ISSUER differs from DEX_ISSUER/),
      }),
    )
  })

  test('JWKS_URL has the keys of another issuer', async () => {
    await using dex = await startDex()
    await using other = await startDevDex()
    await using scene = await startGate(dex, { JWKS_URL: other.jwksUri, JWT_ISSUER: dex.issuer })
    const headers = bearer(dex)
    const line = await expectRefusal(scene, headers, { reason: 'unknown_key', hint: 'JWKS_URL' })
    expect(line).toMatchObject({ iss: dex.issuer, kid: dex.currentKid })
    const action = 'check that the key set in JWKS_URL belongs to the issuer of the JWTs'
    await expectSightingOfRefusals(scene, headers, {
      reason: 'unknown_key',
      action: new RegExp(action),
      doctor: { name: 'key', fact: `its kid is not in the key set; kid ${dex.currentKid}`, advice: action },
    })
  })

  test('JWKS_URL answers 404', async () => {
    await using dex = await startDex()
    await using scene = await startOnCallScene({
      environment: {
        DEX_ISSUER: dex.issuer,
        JWKS_URL: `${dex.jwksUri}-moved`,
        JWT_AUDIENCE: 'orders',
        STATIC_CLIENT_ID: reports.id,
        STATIC_CLIENT_SECRET: reports.secret,
        STATIC_SCOPE: 'groups',
      },
    })
    await expect.poll(() => scene.metric('jwks_refreshes_total{outcome="failed"}')).toBeGreaterThan(0)
    expect(await scene.ask(bearer(dex))).toMatchObject({ status: 503 })
    await expect.poll(() => scene.ready()).toBe('not ready: no key set loaded yet')
    await scene.line({ msg: /key set.*status 404/, hint: /JWKS_URL/, url: `${dex.jwksUri}-moved` })
    const action = 'correct the path of JWKS_URL: the server does not have it'
    await expectSighting(scene, {
      page: {
        kind: 'key-set-failing',
        summary:
          'The key set of the JWT issuer could not be loaded: the JWKS endpoint answered with status 404',
        action,
      },
      doctor: {
        name: 'key set',
        fact: `${dex.jwksUri}-moved is not a key set: status 404, text/plain`,
        advice: action,
      },
    })
  })

  test('Envoy does not forward the credential headers', async () => {
    await using dex = await startDex()
    await using scene = await startOnCallScene({
      environment: { DEX_TOKEN_URL: dex.tokenEndpoint },
      listener: ({ extAuthz }) => {
        delete extAuthz['allowed_headers']
      },
    })
    const answer = await scene.ask(credentials)
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('missing_credentials') })
    expect(answer.body).toMatch(/x-client-id.*x-client-secret/)
    const line = await scene.line({ count: 1 })
    expect(line).toMatchObject({
      missing: ['x-client-id', 'x-client-secret'],
      hint: expect.stringMatching(
        /forward x-client-id.*x-client-secret.*CLIENT_ID_HEADER and CLIENT_SECRET_HEADER.*allowed_headers/,
      ),
    })
    expect(await scene.metric('checks_total{outcome="missing_credentials",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    for (let count = 0; count < 5; count++) await scene.ask(credentials)
    await expectProblem(scene, {
      kind: 'everybody-refused',
      summary:
        /^Nobody passes: 6 of 6 checks .*\(missing_credentials 6: requests without client credentials refused\)$/,
      action:
        /^forward x-client-id and x-client-secret to the broker,.* allowed_headers of ext_authz lists it/,
    })
    const { code, findings } = await scene.doctor(['--envoy', scene.url])
    expect(code).toBe(1)
    expect(findings.filter(({ verdict }) => verdict === 'failed')).toEqual(
      ['x-client-id', 'x-client-secret', 'x-scope'].map(header => ({
        group: 'Envoy',
        name: `header ${header}`,
        verdict: 'failed',
        fact: 'does not reach the broker',
        advice: `add ${header} to allowed_headers of ext_authz (headersToExtAuth in a SecurityPolicy)`,
      })),
    )
  })

  test('Envoy does not forward the header that carries the JWT', async () => {
    await using dex = await startDex()
    await using scene = await startGate(dex, { JWT_HEADER: 'x-jwt' })
    const answer = await scene.ask({ 'x-jwt': bearer(dex).authorization })
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('invalid_token') })
    const line = await scene.line({ reason: 'missing' })
    expect(line['hint']).toMatch(/forward x-jwt.*JWT_HEADER.*allowed_headers.*headersToExtAuth/)
    expect(await scene.metric('jwt_refusals_total{reason="missing"}')).toBeGreaterThan(0)
    for (let count = 0; count < 5; count++) await scene.ask({ 'x-jwt': bearer(dex).authorization })
    await expectSighting(scene, {
      page: {
        kind: 'everybody-refused',
        summary: /^Nobody passes: \d+ of \d+ checks .*\(invalid_token \d+: missing\)$/,
        action: /^forward x-jwt to the broker, .*; Envoy forwards a header only if allowed_headers/,
      },
      doctor: {
        args: ['--envoy', scene.url],
        name: 'header x-jwt',
        fact: 'does not reach the broker',
        advice: 'add x-jwt to allowed_headers of ext_authz (headersToExtAuth in a SecurityPolicy)',
      },
    })
  })

  test('Envoy has no path_prefix', async () => {
    await using dex = await startDex()
    await using scene = await startOnCallScene({
      environment: { DEX_TOKEN_URL: dex.tokenEndpoint },
      listener: withoutPathPrefix,
    })
    expect(await scene.ask(credentials)).toMatchObject({ status: 404 })
    await scene.line({ msg: /404/, hint: /path_prefix.*\/check/ })
    expect(await scene.metric('unknown_requests_total')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    await expectSighting(scene, {
      page: {
        kind: 'requests-outside-check',
        summary: /^1 request .* came to the check listener outside \/check, and got 404$/,
        action: /^set path_prefix to \/check in ext_authz of Envoy/,
      },
      doctor: {
        args: ['--envoy', scene.url],
        name: 'ext_authz',
        fact: 'Envoy asks the broker outside /check (status 404)',
        advice: 'set http_service.path_prefix to /check (path or pathOverride in a SecurityPolicy)',
      },
    })
  })

  test('Envoy does not pass the token to the backend', async () => {
    await using dex = await startDex()
    await using scene = await startOnCallScene({
      environment: { DEX_TOKEN_URL: dex.tokenEndpoint },
      listener: withoutUpstreamHeader('authorization'),
      backend: (request, response) =>
        response.writeHead(request.headers.authorization ? 200 : 401).end('bring a token'),
    })
    using volume = new MountedVolume({ secret: reports.secret })
    expect(await scene.ask(credentials)).toMatchObject({ status: 401, body: 'bring a token' })
    // The broker did its part, so that only a request through Envoy shows the fault.
    expect(await scene.metric('checks_total{outcome="allow",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    const file = volume.file('secret')
    await expectSighting(scene, {
      doctor: {
        args: ['--envoy', scene.url, '--client-id', reports.id, '--client-secret-file', file],
        name: 'passing request',
        fact: 'the backend answers status 401',
        advice:
          /^add authorization to allowed_upstream_headers of authorization_response \(headersToBackend in a SecurityPolicy\)/,
      },
    })

    // With a gate, and a backend that shows the headers that it gets.
    await using gated = await startGate(
      dex,
      { JWT_HEADER: 'x-jwt' },
      {
        listener: parts => {
          withoutUpstreamHeader('authorization')(parts)
          parts.extAuthz['allowed_headers'].patterns.push({ exact: 'x-jwt', ignore_case: true })
        },
        backend: (request, response) => response.end(JSON.stringify(request.headers)),
      },
    )
    const jwt = bearer(dex).authorization
    const answer = await gated.ask({ 'x-jwt': jwt })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).not.toHaveProperty('authorization')
    using ofCaller = new MountedVolume({ jwt })
    await expectSighting(gated, {
      doctor: {
        args: ['--envoy', gated.url, '--jwt-file', ofCaller.file('jwt')],
        name: 'passing request',
        fact: 'the backend gets no token',
        advice: /^add authorization to allowed_upstream_headers/,
      },
    })
  })
})
