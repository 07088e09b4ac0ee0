import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'
import type { CheckResult } from '../../src/doctor/check-result.ts'
import { DoctorContext } from '../../src/doctor/doctor-context.ts'
import { checkEnvoyConfig } from '../../src/doctor/envoy-config.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

const shipped = (name: string) => new URL(`../../../../deploy/envoy/${name}`, import.meta.url)
const overHttp = readFileSync(shipped('envoy.yaml'), 'utf8')
const overGrpc = readFileSync(shipped('envoy-grpc.yaml'), 'utf8')
/** The mapped headers that the shipped bootstrap lets pass. */
const mapped = { UPSTREAM_TOKEN_HEADERS: 'access_token:x-access-token,id_token:x-id-token' }

// biome-ignore lint/suspicious/noExplicitAny: the shipped file, which a test changes.
type Message = any

/** Checks a bootstrap after a change of its filter, connection manager and broker cluster. */
async function findings(
  text: string,
  change: (parts: { filter: Message; cluster: Message }) => void,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly CheckResult[]> {
  const bootstrap: Message = parse(text)
  const { listeners, clusters } = bootstrap.static_resources
  change({
    filter: listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config,
    cluster: clusters[0],
  })
  const config = loadConfig({ ...mapped, GRPC_LISTEN_ADDR: ':9090', ...environment })
  await using context = new DoctorContext(config, new AbortController().signal)
  const results: CheckResult[] = []
  checkEnvoyConfig(context, JSON.stringify(bootstrap), result => results.push(result))
  return results
}

test.each([
  ['envoy.yaml', overHttp],
  ['envoy-grpc.yaml', overGrpc],
])('the shipped %s has no finding', async (_, text) => {
  expect(await findings(text, () => {})).toEqual([
    { name: 'ext_authz', verdict: 'ok', fact: 'is set as the broker needs it' },
  ])
})

test.each<[string, (parts: { filter: Message; cluster: Message }) => void, Partial<CheckResult>]>([
  [
    'a missing path_prefix',
    ({ filter }) => delete filter.http_service.path_prefix,
    { name: 'path_prefix', verdict: 'failed' },
  ],
  [
    'another path_prefix',
    ({ filter }) => {
      filter.http_service.path_prefix = '/auth'
    },
    { name: 'path_prefix', fact: '"/auth" instead of "/check"' },
  ],
  [
    'failure_mode_allow',
    ({ filter }) => {
      filter.failure_mode_allow = true
    },
    { name: 'failure_mode_allow', verdict: 'failed' },
  ],
  [
    'no status_on_error',
    ({ filter }) => delete filter.status_on_error,
    { name: 'status_on_error', verdict: 'warning' },
  ],
  [
    'a credential header that is not listed',
    ({ filter }) => filter.allowed_headers.patterns.splice(1, 1),
    { name: 'allowed_headers', fact: 'x-client-secret does not reach the broker' },
  ],
  [
    'a header that is disallowed',
    ({ filter }) => {
      filter.disallowed_headers = { patterns: [{ prefix: 'X-Client' }] }
    },
    { name: 'allowed_headers', advice: 'remove x-client-id from disallowed_headers' },
  ],
  [
    'a token that does not reach the backend',
    ({ filter }) => filter.http_service.authorization_response.allowed_upstream_headers.patterns.shift(),
    { name: 'allowed_upstream_headers', verdict: 'failed', fact: 'authorization does not reach the backend' },
  ],
  [
    'a timeout below HTTP_TIMEOUT',
    ({ filter }) => {
      filter.http_service.server_uri.timeout = '0.25s'
    },
    { name: 'timeout', fact: expect.stringContaining('Envoy waits 250 ms') as unknown as string },
  ],
  [
    'no retries',
    ({ filter }) => delete filter.http_service.retry_policy,
    { name: 'retry_policy', verdict: 'warning' },
  ],
  [
    'idle connections that live longer than those of the broker',
    ({ cluster }) => {
      cluster.typed_extension_protocol_options = undefined
    },
    { name: 'idle_timeout', verdict: 'warning' },
  ],
  [
    'malformed headers that pass',
    ({ filter }) => {
      filter.validate_mutations = false
    },
    { name: 'validate_mutations', verdict: 'warning' },
  ],
])('over HTTP: %s', async (_, change, expected) => {
  const [first] = await findings(overHttp, change)
  expect(first).toMatchObject(expected)
  expect(first?.advice).toBeTruthy()
})

test.each<[string, (parts: { filter: Message; cluster: Message }) => void, Partial<CheckResult>]>([
  [
    'joined headers',
    ({ filter }) => delete filter.encode_raw_headers,
    { name: 'encode_raw_headers', verdict: 'warning' },
  ],
  [
    'a cluster without HTTP/2',
    ({ cluster }) => {
      cluster.typed_extension_protocol_options = undefined
    },
    { name: 'cluster', verdict: 'failed' },
  ],
  [
    'the default timeout',
    ({ filter }) => delete filter.grpc_service.timeout,
    { name: 'timeout', verdict: 'warning' },
  ],
  [
    'bodies in checks',
    ({ filter }) => {
      filter.with_request_body = {}
    },
    { name: 'with_request_body', verdict: 'warning' },
  ],
])('over gRPC: %s', async (_, change, expected) => {
  const [first] = await findings(overGrpc, change)
  expect(first).toMatchObject(expected)
})

test('over gRPC without a list every header is sent', async () => {
  expect(await findings(overGrpc, ({ filter }) => delete filter.allowed_headers)).toHaveLength(1)
})

test('a broker that does not listen for gRPC', async () => {
  const [first] = await findings(overGrpc, () => {}, { GRPC_LISTEN_ADDR: 'off' })
  expect(first).toMatchObject({ name: 'grpc_service', verdict: 'failed', advice: 'set GRPC_LISTEN_ADDR' })
})

test('a gate needs its header alone', async () => {
  const gate = {
    DEX_ISSUER: 'https://dex.example.com/dex',
    JWT_AUDIENCE: 'shop',
    JWT_HEADER: 'x-jwt',
    STATIC_CLIENT_ID: 'shop',
    STATIC_CLIENT_SECRET: 'secret',
  }
  const results = await findings(overHttp, ({ filter }) => delete filter.allowed_headers, gate)
  expect(results).toMatchObject([{ name: 'allowed_headers', fact: 'x-jwt does not reach the broker' }])
})

test('the command reads the file, and says when it has no filter', async () => {
  const environment = { DEX_TOKEN_URL: 'http://127.0.0.1:1/token', HTTP_TIMEOUT: '1s', ...mapped }
  const file = path.join(folder, 'envoy.yaml')
  writeFileSync(file, overHttp)
  const right = await doctor(environment, ['--envoy-config', file])
  expect(right.result('ext_authz').verdict).toBe('ok')
  writeFileSync(file, 'static_resources: {}\n')
  const wrong = await doctor(environment, ['--envoy-config', file])
  expect(wrong.result('ext_authz')).toMatchObject({
    verdict: 'failed',
    fact: 'the file has no ext_authz filter',
  })
  writeFileSync(file, '{')
  const broken = await doctor(environment, ['--envoy-config', file])
  expect(broken.result('ext_authz').fact).toBe('the file is not YAML')
  const levels = Array.from({ length: 6 }, (_, level) => {
    const value = level === 0 ? 'x' : `*l${level - 1}`
    return `l${level}: &l${level} [${Array(9).fill(value).join(', ')}]\n`
  })
  writeFileSync(file, levels.join(''))
  const growing = await doctor(environment, ['--envoy-config', file])
  expect(growing.result('ext_authz').fact).toBe('the file is not YAML')
})

test('a status_on_error that is not a number or a name is told by its type', async () => {
  expect(
    await findings(overHttp, ({ filter }) => Object.assign(filter, { status_on_error: { code: { a: 1 } } })),
  ).toEqual([expect.objectContaining({ fact: expect.stringMatching(/^clients get \(object\) when/) })])
})

test('a pattern that is not a message allows no header', async () => {
  expect(
    await findings(overHttp, ({ filter }) => {
      filter.http_service.authorization_response.allowed_upstream_headers.patterns.unshift(
        null,
        'authorization',
      )
    }),
  ).toEqual(await findings(overHttp, () => {}))
})

test.each([
  ['a type that cannot become text', '{"filters":[{"@type":{"toString":1}}]}'],
  ['an alias without an anchor', 'filters: *missing'],
  [
    'aliases that multiply',
    `a: &a [${'x,'.repeat(60)}]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`,
  ],
])('a file with %s has a finding and no exception', async (_, text) => {
  await using context = new DoctorContext(loadConfig(mapped), new AbortController().signal)
  const results: CheckResult[] = []
  checkEnvoyConfig(context, text, result => results.push(result))
  expect(results).toMatchObject([{ name: 'ext_authz', verdict: 'failed' }])
})
