import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type BrokerProcess,
  type EnvoyConfig,
  type EnvoyProcess,
  envoyBootstrap,
  freePort,
  type ListenerVariants,
  type Listening,
  listening,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { caller, type Dex, startDex } from '../harness/dex.ts'
import { type DoctorReport, type DoctorResult, doctorReport } from '../harness/doctor-report.ts'
import { anyPorts, protocol } from '../harness/protocol.ts'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-e2e-'))
afterAll(() => rmSync(folder, { recursive: true }))

type GateVariable =
  | 'DEX_ISSUER'
  | 'JWT_AUDIENCE'
  | 'JWT_HEADER'
  | 'STATIC_CLIENT_ID'
  | 'STATIC_CLIENT_SECRET'
  | 'STATIC_SCOPE'

/** Runs `doctor` and returns its results about Envoy by name. */
async function doctor(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<
  Pick<DoctorReport, 'code' | 'output'> & { readonly results: Readonly<Record<string, DoctorResult>> }
> {
  const { code, output, results } = await doctorReport(environment, args)
  const ofEnvoy = results.filter(({ group }) => group.startsWith('Envoy'))
  return { code, output, results: Object.fromEntries(ofEnvoy.map(result => [result.name, result])) }
}

function isServing(envoy: EnvoyProcess): Promise<true> {
  return envoy.process.until('its broker was healthy', async () =>
    (await envoy.healthyBrokers()) === 1 ? true : undefined,
  )
}

const withoutHeaders = (names: readonly string[]) => (patterns: EnvoyConfig[]) =>
  patterns.filter(({ exact }) => !names.includes(exact))

const variants: ListenerVariants = {
  shipped: () => {},
  'without the filter': ({ connectionManager }) => {
    connectionManager['http_filters'].shift()
  },
  'without the secret': ({ extAuthz }) => {
    extAuthz['allowed_headers'].patterns = withoutHeaders(['x-client-secret', 'x-scope'])(
      extAuthz['allowed_headers'].patterns,
    )
  },
  'with another header for the JWT': ({ extAuthz }) => {
    extAuthz['allowed_headers'].patterns.push({ exact: 'x-jwt', ignore_case: true })
  },
  ...(protocol === 'http' && {
    'without the prefix': ({ extAuthz }: { extAuthz: EnvoyConfig }) => {
      delete extAuthz['http_service'].path_prefix
    },
    'without the token': ({ extAuthz }: { extAuthz: EnvoyConfig }) => {
      const response = extAuthz['http_service'].authorization_response
      response.allowed_upstream_headers.patterns = withoutHeaders(['authorization'])(
        response.allowed_upstream_headers.patterns,
      )
    },
  }),
}

describeWithEnvoy('doctor --envoy', () => {
  let dex: Dex
  let echo: Listening
  let strict: Listening
  let broker: BrokerProcess
  let gated: BrokerProcess
  let envoy: EnvoyProcess
  let gatedEnvoy: EnvoyProcess
  let strictEnvoy: EnvoyProcess
  let brokerConfig: Readonly<Record<string, string>>
  let gateConfig: { readonly [name in GateVariable]: string }
  const stack = new AsyncDisposableStack()
  const url = (listener: string, through: EnvoyProcess = envoy) =>
    `http://127.0.0.1:${through.port(listener)}/orders`

  beforeAll(async () => {
    dex = stack.use(await startDex())
    echo = stack.use(await listening((request, response) => response.end(JSON.stringify(request.rawHeaders))))
    strict = stack.use(
      await listening((request, response) => {
        response.writeHead(request.headers.authorization ? 200 : 401).end('bring a token')
      }),
    )
    const file = path.join(folder, 'broker.yaml')
    writeFileSync(
      file,
      `clients:\n  - { name: ci, clientId: ${caller.id}, clientSecret: { env: CI_SECRET } }\n`,
    )
    brokerConfig = { DEX_ISSUER: dex.issuer, CONFIG_FILE: file, CI_SECRET: caller.secret }
    gateConfig = {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: caller.id,
      JWT_HEADER: 'x-jwt',
      STATIC_CLIENT_ID: caller.id,
      STATIC_CLIENT_SECRET: caller.secret,
      STATIC_SCOPE: 'openid',
    }
    broker = stack.use(await startBroker(brokerConfig, anyPorts))
    gated = stack.use(await startBroker(gateConfig, anyPorts))
    const start = async (brokers: readonly BrokerProcess[], backendPort: number) =>
      stack.use(
        await startEnvoy(
          requireEnvoy(),
          envoyBootstrap({ protocol, brokers, backendPort, listeners: variants }),
        ),
      )
    envoy = await start([broker], echo.port)
    gatedEnvoy = await start([gated], echo.port)
    strictEnvoy = await start([broker], strict.port)
    await isServing(envoy)
    await isServing(gatedEnvoy)
    await isServing(strictEnvoy)
  })
  afterAll(() => stack.disposeAsync())

  test('the shipped filter passes: headers arrive, the token reaches the backend, the secret does not', async () => {
    const { code, output, results } = await doctor(brokerConfig, [
      '--envoy',
      url('shipped'),
      '--client',
      'ci',
    ])
    expect(Object.entries(results).map(([name, { verdict }]) => `${verdict} ${name}`)).toEqual([
      'ok ext_authz',
      'ok header x-client-id',
      'ok header x-client-secret',
      'ok header x-scope',
      'ok passing request',
      'ok client secret',
    ])
    expect(results['passing request']?.fact).toBe('the backend gets a token, status 200')
    expect(code).toBe(0)
    expect(output).not.toContain(caller.secret)
    expect(output).not.toContain('eyJ')
  })

  test('without client the passing request is skipped', async () => {
    const { code, results } = await doctor(brokerConfig, ['--envoy', url('shipped')])
    expect(results['passing request']).toMatchObject({
      verdict: 'skipped',
      fact: expect.stringContaining('--client'),
    })
    expect(code).toBe(0)
  })

  test('a route without the filter', async () => {
    const { code, results } = await doctor(brokerConfig, ['--envoy', url('without the filter')])
    expect(results['ext_authz']).toMatchObject({
      verdict: 'failed',
      fact: 'a request without credentials passes (status 200)',
      advice: expect.stringContaining('envoy.filters.http.ext_authz'),
    })
    expect(code).toBe(1)
  })

  test('credential headers that Envoy does not forward', async () => {
    const { results } = await doctor(brokerConfig, ['--envoy', url('without the secret')])
    expect(results['header x-client-id']?.verdict).toBe('ok')
    for (const header of ['x-client-secret', 'x-scope']) {
      expect(results[`header ${header}`]).toMatchObject({
        verdict: 'failed',
        advice: expect.stringContaining(`add ${header} to allowed_headers`),
      })
    }
  })

  test.runIf(protocol === 'http')('a missing path_prefix', async () => {
    const { code, results } = await doctor(brokerConfig, ['--envoy', url('without the prefix')])
    expect(results['ext_authz']).toMatchObject({
      verdict: 'failed',
      fact: 'Envoy asks the broker outside /check (status 404)',
      advice: expect.stringContaining('path_prefix to /check'),
    })
    expect(code).toBe(1)
  })

  test.runIf(protocol === 'http')(
    'a token that does not reach the backend, seen by its echo and by its 401',
    async () => {
      const args = (through: EnvoyProcess) => ['--envoy', url('without the token', through), '--client', 'ci']
      const seen = await doctor(brokerConfig, args(envoy))
      expect(seen.results['passing request']).toMatchObject({
        verdict: 'failed',
        fact: 'the backend gets no token',
        advice: expect.stringContaining('add authorization to allowed_upstream_headers'),
      })
      const refused = await doctor(brokerConfig, args(strictEnvoy))
      expect(refused.results['passing request']).toMatchObject({
        verdict: 'failed',
        fact: 'the backend answers status 401',
        advice: expect.stringContaining('allowed_upstream_headers'),
      })
    },
  )

  test('a backend that echoes nothing and accepts the token', async () => {
    const { code, results } = await doctor(brokerConfig, [
      '--envoy',
      url('shipped', strictEnvoy),
      '--client',
      'ci',
    ])
    expect(results['passing request']).toMatchObject({
      verdict: 'ok',
      fact: expect.stringContaining('status 200'),
    })
    expect(code).toBe(0)
  })

  test('a gate: whether the header with the JWT arrives, and a JWT that passes', async () => {
    const missing = await doctor(gateConfig, ['--envoy', url('shipped', gatedEnvoy)])
    expect(missing.results['header x-jwt']).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('add x-jwt to allowed_headers'),
    })
    const response = await fetch(dex.tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${caller.id}:${encodeURIComponent(caller.secret)}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token: jwt } = (await response.json()) as { access_token: string }
    const file = path.join(folder, 'jwt')
    writeFileSync(file, jwt)
    const gatedUrl = url('with another header for the JWT', gatedEnvoy)
    const passing = await doctor(gateConfig, ['--envoy', gatedUrl, '--jwt-file', file])
    expect(passing.results['header x-jwt']?.verdict).toBe('ok')
    expect(passing.results['passing request']?.fact).toBe('the backend gets a token, status 200')
    expect(passing.code).toBe(0)
  })

  test('the address of the broker instead of Envoy, and one where nothing listens', async () => {
    const { STATIC_CLIENT_ID, STATIC_CLIENT_SECRET, STATIC_SCOPE } = gateConfig
    const environment = {
      DEX_TOKEN_URL: dex.tokenEndpoint,
      STATIC_CLIENT_ID,
      STATIC_CLIENT_SECRET,
      STATIC_SCOPE,
    }
    await using open = await startBroker(environment, anyPorts)
    const direct = await doctor(environment, ['--envoy', `http://127.0.0.1:${open.port}/check`])
    expect(direct.results['ext_authz']?.fact).toContain('this is the address of the broker, not of Envoy')
    const dead = await doctor(brokerConfig, ['--envoy', `http://127.0.0.1:${await freePort()}/`])
    expect(dead.results['ext_authz']?.fact).toContain('cannot be reached (ECONNREFUSED)')
  })

  test('a broker that is down', async () => {
    const gone = { port: await freePort(), adminPort: await freePort(), grpcPort: await freePort() }
    await using lonely = await startEnvoy(
      requireEnvoy(),
      envoyBootstrap({ protocol, brokers: [gone], backendPort: echo.port, listeners: { shipped: () => {} } }),
    )
    const { code, results } = await doctor(brokerConfig, ['--envoy', url('shipped', lonely)])
    expect(results['ext_authz']).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('Envoy has no answer of the broker'),
      advice: expect.stringContaining('status_on_error'),
    })
    expect(code).toBe(1)
  })
})
