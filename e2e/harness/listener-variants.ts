import type { ListenerParts } from '@broker/testing'

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

/** A header that the broker sets reaches the backend. */
export function withUpstreamHeader(header: string): (parts: ListenerParts) => void {
  return ({ extAuthz }) => {
    const { authorization_response: response } = extAuthz['http_service']
    response.allowed_upstream_headers.patterns.push({ exact: header })
  }
}

/** Envoy waits only so long for a check. */
export function withCheckTimeout(timeout: string): (parts: ListenerParts) => void {
  return ({ extAuthz }) => {
    extAuthz['http_service'].server_uri.timeout = timeout
  }
}

/** A check on a connection that breaks is not asked again. */
export function withoutRetries({ extAuthz }: ListenerParts): void {
  delete extAuthz['http_service'].retry_policy
}

/** Every way in which Envoy may hand on a path, by name. */
export const pathListeners = {
  'paths as sent': withoutNormalisation,
  'no prefix': withoutPathPrefix,
  'no prefix, paths as sent': (parts: ListenerParts) => {
    withoutPathPrefix(parts)
    withoutNormalisation(parts)
  },
  // Envoy then sends no timeout header, by which the broker could tell Envoy from a kubelet.
  'no prefix, no timeout': (parts: ListenerParts) => {
    withoutPathPrefix(parts)
    withoutNormalisation(parts)
    withCheckTimeout('0s')(parts)
  },
}
