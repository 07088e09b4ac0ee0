import { type DevDex, startDevDex } from '@broker/dev-dex'
import { expect, test } from 'vitest'
import { withoutPathPrefix } from '../harness/listener-variants.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { type LogLine, type OnCallScene, startOnCallScene } from './on-call-scene.ts'

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
): Promise<OnCallScene> {
  const scene = await startOnCallScene({
    environment: {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'orders',
      STATIC_CLIENT_ID: reports.id,
      STATIC_CLIENT_SECRET: reports.secret,
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
  })

  test('The clock of the JWT issuer is ahead', async () => {
    await using dex = await startDex(700)
    await using scene = await startGate(dex)
    const headers = bearer(dex, {}, 700)
    const line = await expectRefusal(scene, headers, { reason: 'not_yet_valid', hint: 'NTP' })
    expect(line['hint']).toMatch(/the clock of this host is (698|699|700) s behind the clock of Dex/)
    expect(line['secondsBeforeNbf']).toBeGreaterThan(690)
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
  })

  test('JWT_AUDIENCE is not the audience of the JWTs', async () => {
    await using dex = await startDex()
    await using scene = await startGate(dex)
    const headers = bearer(dex, { aud: 'invoices' })
    const line = await expectRefusal(scene, headers, { reason: 'audience', hint: 'JWT_AUDIENCE' })
    expect(line).toMatchObject({ aud: 'invoices', expectedAud: ['orders'], iss: dex.issuer })
  })

  test('JWT_ISSUER is not the issuer of the JWTs', async () => {
    await using dex = await startDex()
    const expectedIss = 'https://dex.example.com/dex'
    await using scene = await startGate(dex, { JWT_ISSUER: expectedIss })
    const line = await expectRefusal(scene, bearer(dex), { reason: 'issuer', hint: 'JWT_ISSUER' })
    expect(line).toMatchObject({ iss: dex.issuer, expectedIss })
  })

  test('JWKS_URL has the keys of another issuer', async () => {
    await using dex = await startDex()
    await using other = await startDevDex()
    await using scene = await startGate(dex, { JWKS_URL: other.jwksUri, JWT_ISSUER: dex.issuer })
    const line = await expectRefusal(scene, bearer(dex), { reason: 'unknown_key', hint: 'JWKS_URL' })
    expect(line).toMatchObject({ iss: dex.issuer, kid: dex.currentKid })
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
      },
    })
    await expect.poll(() => scene.metric('jwks_refreshes_total{outcome="failed"}')).toBeGreaterThan(0)
    expect(await scene.ask(bearer(dex))).toMatchObject({ status: 503 })
    await expect.poll(() => scene.ready()).toBe('not ready: no key set loaded yet')
    await scene.line({ msg: /key set.*status 404/, hint: /JWKS_URL/, url: `${dex.jwksUri}-moved` })
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
  })

  test('Envoy does not forward the header that carries the JWT', async () => {
    await using dex = await startDex()
    await using scene = await startGate(dex, { JWT_HEADER: 'x-jwt' })
    const answer = await scene.ask({ 'x-jwt': bearer(dex).authorization })
    expect(answer).toMatchObject({ status: 401, body: expect.stringContaining('invalid_token') })
    const line = await scene.line({ reason: 'missing' })
    expect(line['hint']).toMatch(/forward x-jwt.*JWT_HEADER.*allowed_headers.*headersToExtAuth/)
    expect(await scene.metric('jwt_refusals_total{reason="missing"}')).toBeGreaterThan(0)
  })

  test('Envoy has no path_prefix', async () => {
    await using dex = await startDex()
    await using scene = await startOnCallScene({
      environment: { DEX_TOKEN_URL: dex.tokenEndpoint },
      listener: withoutPathPrefix,
    })
    expect(await scene.ask(credentials)).toMatchObject({ status: 404 })
    await expect.poll(() => scene.log).toMatch(/404.*path_prefix.*\/check/)
    expect(await scene.metric('unknown_requests_total')).toBe(1)
    expect(await scene.ready()).toBe('ready')
  })
})
