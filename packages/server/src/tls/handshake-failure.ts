/** Why a connection to a listener with TLS was refused. */
export type HandshakeFailure = (typeof handshakeFailures)[number]

/** Every such reason, as the label of the metric has it. */
export const handshakeFailures = [
  'no_tls',
  'no_client_certificate',
  'client_certificate_not_trusted',
  'client_certificate_expired',
  'client_name_not_allowed',
  'server_certificate_refused',
  'version',
  'protocol',
  'timeout',
  'too_many_handshakes',
  'other',
] as const

/** An instruction for each reason. */
export const handshakeHints: Readonly<Record<HandshakeFailure, string>> = {
  no_tls: 'give the cluster of the caller a TLS transport_socket: it speaks plain HTTP to a port with TLS',
  no_client_certificate: 'give the caller a client certificate, because TLS_CLIENT_CA_FILE is set',
  client_certificate_not_trusted:
    "issue the caller's certificate by an authority in TLS_CLIENT_CA_FILE, or add its authority to that file",
  client_certificate_expired:
    "renew the caller's certificate, or correct the clock of this host: it is expired or not valid yet",
  client_name_not_allowed: 'add one of names to TLS_CLIENT_SANS, if this caller may connect',
  server_certificate_refused:
    'compare the certificate in TLS_CERT_FILE with what the caller trusts: its authority, its host name, its expiry',
  version: 'let the caller use TLS 1.2 or newer, and a cipher suite that both sides have',
  protocol: 'let the caller offer h2 to the gRPC listener, and http/1.1 to the others (ALPN)',
  timeout: 'check the network between the caller and this host: the TLS handshake did not end in time',
  too_many_handshakes:
    'find out who opens connections without finishing their TLS handshake: peer is one of them',
  other: 'compare the TLS settings of the caller with docs/tls.md',
}

const byCode: Readonly<Record<string, HandshakeFailure>> = {
  ERR_SSL_HTTP_REQUEST: 'no_tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no_tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'no_tls',
  // Node's code where there is no certificate at all.
  UNABLE_TO_GET_ISSUER_CERT: 'no_client_certificate',
  CERT_HAS_EXPIRED: 'client_certificate_expired',
  CERT_NOT_YET_VALID: 'client_certificate_expired',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no_client_certificate',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
}

/** Alerts by which a caller refuses the certificate of this side. */
const refusals =
  /_ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|ACCESS_DENIED)$/

/** Names the reason of an error of a handshake; `undefined` when the caller left, as probes of TCP ports do. */
export function handshakeFailureOf(code: string): HandshakeFailure | undefined {
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined
  return byCode[code] ?? (refusals.test(code) ? 'server_certificate_refused' : 'other')
}

/** Names the reason why a client certificate is not accepted, by Node's code of its verification. */
export function certificateFailureOf(code: string): HandshakeFailure {
  return byCode[code] ?? 'client_certificate_not_trusted'
}
