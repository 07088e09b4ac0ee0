import type { ListenerParts, ListenerVariants } from '@broker/testing'
import { protocol } from './protocol.ts'

/** Envoy hands on the path as the client sent it, as its defaults do. */
export function withoutNormalisation({ connectionManager }: ListenerParts): void {
  connectionManager['normalize_path'] = false
  connectionManager['merge_slashes'] = false
  connectionManager['path_with_escaped_slashes_action'] = 'KEEP_UNCHANGED'
}

/** The check is asked under the client's own path: a configuration that lets nobody in. */
export function withoutPathPrefix({ extAuthz }: ListenerParts): void {
  delete extAuthz['http_service'].path_prefix
}

/** Every header of the client goes into the check. */
export function withAllHeaders({ extAuthz }: ListenerParts): void {
  extAuthz['allowed_headers'].patterns = [{ safe_regex: { regex: '.*' } }]
}

/** A header that the broker sets reaches the backend. Over gRPC each of them does. */
export function withUpstreamHeader(header: string): (parts: ListenerParts) => void {
  return ({ extAuthz }) => {
    if (protocol === 'grpc') return
    const { authorization_response: response } = extAuthz['http_service']
    response.allowed_upstream_headers.patterns.push({ exact: header })
  }
}

/** A header that the broker sets does not reach the backend; over HTTP alone, as over gRPC each of them does. */
export function withoutUpstreamHeader(header: string): (parts: ListenerParts) => void {
  return ({ extAuthz }) => {
    const { allowed_upstream_headers: allowed } = extAuthz['http_service'].authorization_response
    allowed.patterns = allowed.patterns.filter(({ exact }: { exact?: string }) => exact !== header)
  }
}

/** Envoy waits only so long for a check. */
export function withCheckTimeout(timeout: string): (parts: ListenerParts) => void {
  return ({ extAuthz }) => {
    if (protocol === 'grpc') extAuthz['grpc_service'].timeout = timeout
    else extAuthz['http_service'].server_uri.timeout = timeout
  }
}

/** A check on a connection that breaks is not asked again. */
export function withoutRetries({ extAuthz }: ListenerParts): void {
  delete (extAuthz['http_service'] ?? extAuthz['grpc_service']).retry_policy
}

/** Over gRPC, headers arrive in a map: Envoy joins repeated ones with a comma. */
export function withHeaderMap({ extAuthz }: ListenerParts): void {
  extAuthz['encode_raw_headers'] = false
}

/** Over gRPC, the broker gets the path with all its bytes. */
export function withRawPath({ extAuthz }: ListenerParts): void {
  if (protocol === 'grpc') extAuthz['allowed_headers'].patterns.push({ exact: ':path' })
}

/** Envoy makes tunnels to the backend. */
export function withConnect({ connectionManager }: ListenerParts): void {
  connectionManager['upgrade_configs'].push({ upgrade_type: 'CONNECT' })
  connectionManager['http2_protocol_options'] = { allow_connect: true }
  connectionManager['route_config'].virtual_hosts[0].routes.unshift({
    match: { connect_matcher: {} },
    route: { cluster: 'backend', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
  })
}

/** Bootstraps that let the client choose the path of the check, and so let nobody in. Over gRPC there is no such path. */
export const checkPathListeners: ListenerVariants =
  protocol === 'grpc'
    ? {}
    : {
        'no prefix': withoutPathPrefix,
        'no prefix, paths as sent': parts => {
          withoutPathPrefix(parts)
          withoutNormalisation(parts)
        },
        // Envoy then sends no timeout header, by which the broker could tell Envoy from a kubelet.
        'no prefix, no timeout': parts => {
          withoutPathPrefix(parts)
          withoutNormalisation(parts)
          withCheckTimeout('0s')(parts)
        },
      }

/** Every way in which Envoy may hand on a path, by name. */
export const pathListeners: ListenerVariants = {
  'paths as sent': withoutNormalisation,
  ...(protocol === 'grpc' && {
    'paths as sent, header map': parts => {
      withoutNormalisation(parts)
      withHeaderMap(parts)
    },
  }),
  ...checkPathListeners,
}
