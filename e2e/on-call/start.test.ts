import { startDevDex } from '@broker/dev-dex'
import { brokerCommand, ManagedProcess } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { doctorReport } from '../harness/doctor-report.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { startOnCallScene } from './on-call-scene.ts'
import { expectProblem, expectSighting } from './on-call-view.ts'

/** Runs the command until it ends; tells its exit code and what it wrote, and what `doctor` says of the configuration. */
async function refusedStart(environment: Readonly<Record<string, string>>) {
  await using broker = new ManagedProcess('the broker', process.execPath, [brokerCommand], {
    env: { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...environment },
  })
  const { code: doctorCode, results } = await doctorReport(environment)
  const failures = results
    .filter(({ verdict, group }) => verdict === 'failed' && group === 'Configuration')
    .map(({ name, fact }) => `${name}: ${fact}`)
  return { code: await broker.ended(), log: broker.log, doctorCode, failures }
}

const gate = {
  DEX_ISSUER: 'http://127.0.0.1:5556/dex',
  STATIC_CLIENT_ID: 'reports',
  STATIC_CLIENT_SECRET: 'reports-secret',
}

const withoutGate = expect.stringMatching(
  /^JWT_AUDIENCE: must be set, .*every caller .* gets a token.*ALLOW_UNAUTHENTICATED_CALLERS=true$/,
)

describe('at the start', () => {
  test('A secret ends with a line break', async () => {
    const { code, log, doctorCode, failures } = await refusedStart({
      ...gate,
      JWT_AUDIENCE: 'orders',
      STATIC_CLIENT_SECRET: 'x\n',
    })
    expect(code).toBe(1)
    expect(log).toMatch(/STATIC_CLIENT_SECRET.*line break/)
    expect([doctorCode, failures]).toEqual([
      1,
      [expect.stringMatching(/^STATIC_CLIENT_SECRET: ends with a line break/)],
    ])
  })

  test('Several variables have broken values', async () => {
    const broken = {
      DEX_TOKEN_URL: 'dex',
      HTTP_TIMEOUT: 'soon',
      LOG_LEVEL: 'loud',
      CACHE_MAX_ENTRIES: 'many',
      REFRESH_AHEAD_RATIO: '7',
      STRIP_CREDENTIAL_HEADERS: 'perhaps',
    }
    const { code, log, doctorCode, failures } = await refusedStart(broken)
    expect(code).toBe(1)
    for (const name of Object.keys(broken)) expect(log).toContain(name)
    expect(doctorCode).toBe(1)
    expect(failures.map(text => text.split(':')[0]).toSorted()).toEqual(Object.keys(broken).toSorted())
  })

  test('DEX_TOKEN_URL is http to a host that is not loopback', async () => {
    const { code, log, doctorCode, failures } = await refusedStart({
      DEX_TOKEN_URL: 'http://dex.dex.svc.cluster.local/token',
    })
    expect(code).toBe(1)
    expect(log).toMatch(/DEX_TOKEN_URL.*ALLOW_INSECURE_DEX_URL/)
    expect([doctorCode, failures]).toEqual([
      1,
      [expect.stringMatching(/^DEX_TOKEN_URL: .*ALLOW_INSECURE_DEX_URL/)],
    ])
  })

  test('JWT_AUDIENCE is empty, and the gate would be off', async () => {
    const { code, log, doctorCode, failures } = await refusedStart({ ...gate, JWT_AUDIENCE: '' })
    expect(code).toBe(1)
    expect(log).toContain('JWT_AUDIENCE')
    expect(log).toContain('ALLOW_UNAUTHENTICATED_CALLERS')
    expect([doctorCode, failures]).toEqual([1, [withoutGate]])
  })

  test('DEX_ISSUER and a client are set without JWT_AUDIENCE', async () => {
    const { code, log, doctorCode, failures } = await refusedStart(gate)
    expect(code).toBe(1)
    expect(log).toContain('ALLOW_UNAUTHENTICATED_CALLERS')
    expect([doctorCode, failures]).toEqual([1, [withoutGate]])
  })
})

describeWithEnvoy('after the start', () => {
  test('A configured client without a gate serves every caller', async () => {
    await using dex = await startDevDex({ clients: [{ id: 'reports', secret: 'reports-secret' }] })
    await using scene = await startOnCallScene({
      environment: {
        DEX_TOKEN_URL: dex.tokenEndpoint,
        STATIC_CLIENT_ID: 'reports',
        STATIC_CLIENT_SECRET: 'reports-secret',
        STATIC_SCOPE: 'groups',
      },
    })
    expect(await scene.ask()).toMatchObject({ status: 200, body: 'backend' })
    await scene.line({ msg: /STATIC_CLIENT_SECRET.*gate.*ALLOW_UNAUTHENTICATED_CALLERS/ })
    expect(await scene.metric('checks_total{outcome="allow",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    await expectSighting(scene, {
      page: {
        kind: 'configuration-warning',
        severity: 'warning',
        summary:
          'STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without a JWT gate: every caller that reaches the check listener gets a token. Set JWT_AUDIENCE, or ALLOW_UNAUTHENTICATED_CALLERS=true if you want that.',
        action: 'correct the setting that it names; nothing to do if it is intended',
      },
      doctor: {
        name: 'gate',
        fact: 'none: every caller receives the token of the configured client',
        advice: /^set JWT_AUDIENCE, with DEX_ISSUER or JWKS_URL/,
      },
    })
  })

  test('The name of a variable is misspelt', async () => {
    await using scene = await startOnCallScene({
      environment: { DEX_TOKEN_URl: 'https://dex.example.com/token', HTTP_TIMEOUT: '2s' },
    })
    const answer = await scene.ask({ 'x-client-id': 'reports', 'x-client-secret': 'reports-secret' })
    expect(answer).toMatchObject({ status: 503, body: '' })
    await scene.line({ msg: /^DEX_TOKEN_URl is not a variable.*did you mean DEX_TOKEN_URL\?$/ })
    const line = await scene.line({ code: 'token_endpoint_unavailable' })
    expect(line).toMatchObject({
      url: 'https://dex.dex.svc.cluster.local/token',
      hint: expect.stringContaining('DEX_TOKEN_URL'),
    })
    expect(await scene.metric('checks_total{outcome="token_endpoint_unavailable",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
    const misspelt =
      'DEX_TOKEN_URl is not a variable of this broker and is ignored; did you mean DEX_TOKEN_URL?'
    await expectProblem(scene, {
      kind: 'token-requests-failing',
      summary: /^Token requests to Dex fail: the token endpoint is unavailable/,
      action: 'check the host name in DEX_TOKEN_URL: it does not resolve',
    })
    expect((await scene.problems())[1]).toMatchObject({ kind: 'configuration-warning', summary: misspelt })
    expect(await scene.page()).toContain(misspelt)
    const { code, findings } = await scene.doctor()
    expect(code).toBe(1)
    expect(findings[0]).toMatchObject({
      name: 'name dex.dex.svc.cluster.local',
      verdict: 'failed',
      advice: 'check the host name in DEX_TOKEN_URL: it does not resolve',
    })
    expect(findings[1]).toMatchObject({ name: 'configuration', verdict: 'warning', fact: misspelt })
  })
})
