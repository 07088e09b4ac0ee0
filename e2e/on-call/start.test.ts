import { startDevDex } from '@broker/dev-dex'
import { brokerCommand, ManagedProcess } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { startOnCallScene } from './on-call-scene.ts'

/** Runs the command until it ends; tells its exit code and what it wrote. */
async function refusedStart(environment: Readonly<Record<string, string>>) {
  await using broker = new ManagedProcess('the broker', process.execPath, [brokerCommand], {
    env: { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...environment },
  })
  return { code: await broker.ended(), log: broker.log }
}

const gate = {
  DEX_ISSUER: 'http://127.0.0.1:5556/dex',
  STATIC_CLIENT_ID: 'reports',
  STATIC_CLIENT_SECRET: 'reports-secret',
}

describe('at the start', () => {
  test('A secret ends with a line break', async () => {
    const { code, log } = await refusedStart({ ...gate, JWT_AUDIENCE: 'orders', STATIC_CLIENT_SECRET: 'x\n' })
    expect(code).toBe(1)
    expect(log).toMatch(/STATIC_CLIENT_SECRET.*line break/)
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
    const { code, log } = await refusedStart(broken)
    expect(code).toBe(1)
    for (const name of Object.keys(broken)) expect(log).toContain(name)
  })

  test('DEX_TOKEN_URL is http to a host that is not loopback', async () => {
    const { code, log } = await refusedStart({ DEX_TOKEN_URL: 'http://dex.dex.svc.cluster.local/token' })
    expect(code).toBe(1)
    expect(log).toMatch(/DEX_TOKEN_URL.*ALLOW_INSECURE_DEX_URL/)
  })

  test('JWT_AUDIENCE is empty, and the gate would be off', async () => {
    const { code, log } = await refusedStart({ ...gate, JWT_AUDIENCE: '' })
    expect(code).toBe(1)
    expect(log).toContain('JWT_AUDIENCE')
    expect(log).toContain('ALLOW_UNAUTHENTICATED_CALLERS')
  })

  test('DEX_ISSUER and a client are set without JWT_AUDIENCE', async () => {
    const { code, log } = await refusedStart(gate)
    expect(code).toBe(1)
    expect(log).toContain('ALLOW_UNAUTHENTICATED_CALLERS')
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
      },
    })
    expect(await scene.ask()).toMatchObject({ status: 200, body: 'backend' })
    await scene.line({ msg: /STATIC_CLIENT_SECRET.*gate.*ALLOW_UNAUTHENTICATED_CALLERS/ })
    expect(await scene.metric('checks_total{outcome="allow",protocol="http"}')).toBe(1)
    expect(await scene.ready()).toBe('ready')
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
  })
})
