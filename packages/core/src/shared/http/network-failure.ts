import type { Hint, HintProblem } from '../hint.ts'

/** Codes of Node and OpenSSL for a certificate that is not trusted. */
const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** The system's code of a failed request. `fetch` has it in `cause`, and in `errors[0]` for a name with several addresses. */
export function networkFailureCode(error: unknown): string | undefined {
  for (
    let current = error, depth = 0;
    depth < 5 && typeof current === 'object' && current !== null;
    depth++
  ) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown[] }
    if (typeof code === 'string' && code !== 'ERR_INVALID_ARG_TYPE') return code
    current = cause ?? errors?.[0]
  }
  return undefined
}

/** The hint for the system's code of a failed request; `option` holds the URL. */
export function networkFailureHint(code: string | undefined, option: string): Hint | undefined {
  const problem = problemOf(code)
  return problem && { problem, option }
}

function problemOf(code: string | undefined): HintProblem | undefined {
  if (code === undefined) return undefined
  const known = problems[code]
  if (known !== undefined) return known
  if (certificateCodes.has(code)) return 'certificate_not_trusted'
  if (code.startsWith('ERR_SSL_')) return 'tls_failed'
  if (code.startsWith('PROXY_')) return 'proxy_failed'
  // The parser received something other than HTTP.
  return code.startsWith('HPE_') ? 'not_http' : undefined
}

const problems: Readonly<Record<string, HintProblem>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_of_another_host',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'tls_failed',
  EAI_AGAIN: 'host_not_found',
  ECONNREFUSED: 'nothing_listens',
  ECONNABORTED: 'connection_closed',
  ECONNRESET: 'connection_closed',
  EPIPE: 'connection_closed',
  EHOSTUNREACH: 'not_connected_in_time',
  ENETUNREACH: 'not_connected_in_time',
  ENOTFOUND: 'host_not_found',
  EPROTO: 'not_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not_tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not_tls',
  ETIMEDOUT: 'not_connected_in_time',
  UND_ERR_CONNECT_TIMEOUT: 'not_connected_in_time',
  UND_ERR_BODY_TIMEOUT: 'not_answered_in_time',
  UND_ERR_HEADERS_TIMEOUT: 'not_answered_in_time',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection_closed',
  UND_ERR_SOCKET: 'connection_closed',
  // Compressed content that ends before its end.
  Z_BUF_ERROR: 'connection_closed',
}

/** Codes of a request that never reached the server, so that nothing in the request is the cause. */
const unreachedCodes = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPROTO',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Tells whether a failed request never reached the server. */
export function isUnreached(code: string | undefined): boolean {
  if (code === undefined) return false
  // OpenSSL's codes of a handshake that failed.
  return unreachedCodes.has(code) || certificateCodes.has(code) || /^(?:ERR_SSL|PROXY)_/.test(code)
}
