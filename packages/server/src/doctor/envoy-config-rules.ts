import { optionRules } from '@broker/core/options'
import type { Config } from '../config/config.ts'
import { hasGate } from '../explain/explain.ts'
import { type CheckResult, failed, warning } from './check-result.ts'
import { allows, durationMs, type EnvoyMessage, messageAt, patternsAt } from './envoy-message.ts'
import { shownValue } from './shown-value.ts'

/** How long the broker keeps an idle connection, in seconds. */
const keepAliveSeconds = 75
const grpcDefaultTimeoutMs = 200

/** The differences between an ext_authz filter and what the broker needs, the most dangerous first. */
export function filterFindings(filter: EnvoyMessage, config: Config): readonly CheckResult[] {
  const http = messageAt(filter, 'http_service')
  const grpc = messageAt(filter, 'grpc_service')
  return [
    ...failureFindings(filter),
    ...(http === undefined ? [] : httpFindings(http, config)),
    ...(grpc === undefined ? [] : grpcFindings(filter, config)),
    ...(http === undefined && grpc === undefined
      ? [
          failed(
            'service',
            'the filter has neither http_service nor grpc_service',
            'set http_service with path_prefix: /check',
          ),
        ]
      : []),
    ...forwardingFindings(filter, config),
    ...timeoutFindings(
      http === undefined ? grpc?.['timeout'] : messageAt(http, 'server_uri')?.['timeout'],
      config,
    ),
    ...((http ?? grpc)?.['retry_policy'] === undefined
      ? [
          warning(
            'retry_policy',
            'none: a request fails with the broker that handled it',
            'set retry_policy as in deploy/envoy',
          ),
        ]
      : []),
  ]
}

function failureFindings(filter: EnvoyMessage): readonly CheckResult[] {
  const findings: CheckResult[] = []
  if (filter['failure_mode_allow'] === true) {
    findings.push(
      failed(
        'failure_mode_allow',
        'true: requests pass without a token, and with the secrets of clients, while the broker is down',
        'set failure_mode_allow: false',
      ),
    )
  }
  const code = messageAt(filter, 'status_on_error')?.['code']
  if (code !== 'ServiceUnavailable' && code !== 503) {
    findings.push(
      warning(
        'status_on_error',
        `clients get ${shownValue(code ?? 403)} when the broker fails, as if they were refused`,
        'set status_on_error: { code: ServiceUnavailable }',
      ),
    )
  }
  if (filter['validate_mutations'] !== true) {
    findings.push(
      warning(
        'validate_mutations',
        'off: Envoy passes a malformed header on',
        'set validate_mutations: true',
      ),
    )
  }
  if (filter['with_request_body'] !== undefined) {
    findings.push(
      warning(
        'with_request_body',
        'Envoy buffers bodies that the broker does not read',
        'remove with_request_body',
      ),
    )
  }
  return findings
}

function httpFindings(http: EnvoyMessage, config: Config): readonly CheckResult[] {
  const findings: CheckResult[] = []
  const prefix = http['path_prefix']
  if (prefix !== '/check') {
    findings.push(
      failed(
        'path_prefix',
        prefix === undefined
          ? 'not set: the broker answers every check with 404'
          : `${JSON.stringify(prefix)} instead of "/check"`,
        'set http_service.path_prefix: /check',
      ),
    )
  }
  const response = messageAt(http, 'authorization_response')
  const upstream = patternsAt(response, 'allowed_upstream_headers')
  for (const header of headersForBackend(config)) {
    if (upstream.some(pattern => allows(pattern, header))) continue
    findings.push(
      failed(
        'allowed_upstream_headers',
        `${header} does not reach the backend`,
        `add { exact: ${header} } to authorization_response.allowed_upstream_headers`,
      ),
    )
  }
  const client = patternsAt(response, 'allowed_client_headers')
  for (const header of client.length === 0 ? [] : ['content-type', 'retry-after']) {
    if (client.some(pattern => allows(pattern, header))) continue
    findings.push(
      warning(
        'allowed_client_headers',
        `clients do not get ${header} with a refusal`,
        `add { exact: ${header} } to authorization_response.allowed_client_headers`,
      ),
    )
  }
  return findings
}

function grpcFindings(filter: EnvoyMessage, config: Config): readonly CheckResult[] {
  const findings: CheckResult[] = []
  const allowsJoined = config.broker.credentialHeaders?.allowJoined === true
  if (filter['encode_raw_headers'] !== true && !allowsJoined) {
    findings.push(
      warning(
        'encode_raw_headers',
        'off: the broker refuses credentials with a comma, because repeated headers arrive joined',
        'set encode_raw_headers: true',
      ),
    )
  }
  if (config.grpc === undefined) {
    findings.push(
      failed(
        'grpc_service',
        'Envoy asks over gRPC, and the broker does not listen for it',
        'set GRPC_LISTEN_ADDR',
      ),
    )
  }
  return findings
}

/** Over HTTP Envoy sends authorization and what is listed; over gRPC everything, or what is listed. */
function forwardingFindings(filter: EnvoyMessage, config: Config): readonly CheckResult[] {
  const http = messageAt(filter, 'http_service')
  const allowed = [
    ...patternsAt(filter, 'allowed_headers'),
    ...patternsAt(messageAt(http, 'authorization_request'), 'allowed_headers'),
  ]
  const disallowed = patternsAt(filter, 'disallowed_headers')
  const sendsAll = http === undefined && allowed.length === 0
  return headersForBroker(config).flatMap(header => {
    const isListed =
      sendsAll ||
      (http !== undefined && header === 'authorization') ||
      allowed.some(pattern => allows(pattern, header))
    if (isListed && !disallowed.some(pattern => allows(pattern, header))) return []
    const advice = isListed
      ? `remove ${header} from disallowed_headers`
      : `add { exact: ${header}, ignore_case: true } to allowed_headers`
    return [failed('allowed_headers', `${header} does not reach the broker`, advice)]
  })
}

function timeoutFindings(timeout: unknown, { broker }: Config): readonly CheckResult[] {
  const limitMs = broker.requestTimeoutMs ?? optionRules.requestTimeoutMs.default
  const timeoutMs = timeout === undefined ? grpcDefaultTimeoutMs : durationMs(timeout)
  if (timeoutMs === undefined || timeoutMs > limitMs) return []
  return [
    warning(
      'timeout',
      `Envoy waits ${timeoutMs} ms, not longer than HTTP_TIMEOUT (${limitMs} ms), so that it gives up first`,
      `set the timeout of the service to more than ${limitMs / 1_000}s`,
    ),
  ]
}

/** The cluster of the broker, where the file has it. */
export function clusterFindings(
  filter: EnvoyMessage,
  clusters: readonly EnvoyMessage[],
): readonly CheckResult[] {
  const grpc = messageAt(filter, 'grpc_service')
  const name =
    messageAt(messageAt(filter, 'http_service'), 'server_uri')?.['cluster'] ??
    messageAt(grpc, 'envoy_grpc')?.['cluster_name']
  const cluster = clusters.find(each => each['name'] === name)
  if (cluster === undefined) return []
  const [protocol] = Object.values(messageAt(cluster, 'typed_extension_protocol_options') ?? {}) as (
    | EnvoyMessage
    | undefined
  )[]
  if (grpc !== undefined) {
    const isHttp2 =
      messageAt(messageAt(protocol, 'explicit_http_config'), 'http2_protocol_options') !== undefined
    return isHttp2 || cluster['http2_protocol_options'] !== undefined
      ? []
      : [
          failed(
            'cluster',
            `the cluster ${name} does not speak HTTP/2`,
            'set explicit_http_config: { http2_protocol_options: {} } of the cluster',
          ),
        ]
  }
  const idleMs = durationMs(messageAt(protocol, 'common_http_protocol_options')?.['idle_timeout'])
  return idleMs !== undefined && idleMs < keepAliveSeconds * 1_000
    ? []
    : [
        warning(
          'idle_timeout',
          `Envoy keeps idle connections longer than the broker, which closes them after ${keepAliveSeconds} s: sporadic failures`,
          'set common_http_protocol_options.idle_timeout of the cluster to 55s',
        ),
      ]
}

function headersForBroker({ broker }: Config): readonly string[] {
  const { gate, credentialHeaders = {}, client = {} } = broker
  const own = (['clientId', 'clientSecret', 'scope'] as const).filter(part => client[part] === undefined)
  const names = own.map(part => credentialHeaders[part] ?? optionRules[`credentialHeaders.${part}`].default)
  if (!hasGate({ broker } as Config)) return names
  return [gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default]
}

function headersForBackend({ broker }: Config): readonly string[] {
  const {
    authorizationHeader = optionRules.authorizationHeader.default,
    tokenHeaders = {},
    backendHeaders = [],
  } = broker
  return [authorizationHeader, ...Object.values(tokenHeaders).flat(), ...backendHeaders]
}
