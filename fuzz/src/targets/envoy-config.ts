import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { loadConfig } from '../../../packages/server/src/config/load-config.ts'
import type { CheckResult } from '../../../packages/server/src/doctor/check-result.ts'
import type { DoctorContext } from '../../../packages/server/src/doctor/doctor-context.ts'
import { answererOf, brokerErrorOf } from '../../../packages/server/src/doctor/envoy-answer.ts'
import { checkEnvoyConfig } from '../../../packages/server/src/doctor/envoy-config.ts'
import { repository } from '../block-coverage.ts'
import type { Target } from '../target.ts'

const bootstrap = readFileSync(path.join(repository, 'deploy/envoy/envoy.yaml'), 'utf8')
const filter = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
  failure_mode_allow: true,
  status_on_error: { code: 503 },
  with_request_body: { max_request_bytes: 1 },
  http_service: {
    path_prefix: '/check',
    server_uri: { uri: 'x', cluster: 'broker', timeout: '5s' },
    authorization_request: { allowed_headers: { patterns: [{ exact: 'authorization' }, { prefix: 'x-' }] } },
    authorization_response: { allowed_upstream_headers: { patterns: [{ suffix: 'n', ignore_case: true }] } },
  },
  retry_policy: {},
}
const grpc = {
  '@type': filter['@type'],
  grpc_service: { envoy_grpc: { cluster_name: 'broker' }, timeout: '0.5s' },
  encode_raw_headers: true,
  allowed_headers: { patterns: [{ contains: 'x' }] },
}
const cluster = {
  name: 'broker',
  load_assignment: { endpoints: [] },
  typed_extension_protocol_options: {},
  common_http_protocol_options: { idle_timeout: '60s' },
}
const context = {
  config: loadConfig({
    DEX_ISSUER: 'https://dex.example/dex',
    JWT_AUDIENCE: 'orders',
    STATIC_CLIENT_ID: 'reports',
    STATIC_CLIENT_SECRET: 'x',
  }),
} as DoctorContext

/** What `doctor` reads of Envoy: its configuration, and its answers. Whatever they are, there is a result for each. */
export const envoyConfigTarget: Target = {
  name: 'envoy-config',
  isJson: true,
  seeds: [
    bootstrap,
    JSON.stringify([filter, cluster]),
    JSON.stringify([grpc, cluster]),
    JSON.stringify({ configs: [{ filter }, { grpc }] }),
    '{"error":"invalid_token","error_description":"x"}',
  ],
  dictionary: [
    '&a ',
    '*a',
    '"@type":',
    filter['@type'],
    'patterns',
    '"exact":',
    '"timeout":',
    '"5s"',
    'http_service',
    'grpc_service',
    '- ',
    ': ',
  ],
  maxBytes: 16_384,
  // The package yaml took 240 ms for 16 KiB of nested braces, in a file that the operator names.
  maxCpuMs: 1_000,
  sources: ['envoy-config', 'envoy-config-rules', 'envoy-message', 'envoy-answer'].map(
    each => `packages/server/src/doctor/${each}.ts`,
  ),
  judge(input) {
    const text = input.toString()
    const results: CheckResult[] = []
    checkEnvoyConfig(context, text, result => results.push(result))
    assert.ok(results.length > 0)
    assert.ok(
      results.every(({ name, fact }) => name !== '' && fact !== '' && !/undefined|\[object/.test(fact)),
      JSON.stringify(results),
    )
    const refusal = brokerErrorOf(text)
    const answerer = answererOf({ status: 401, body: text, header: () => undefined })
    assert.equal(answerer, refusal === undefined ? 'backend' : 'broker')
  },
}
