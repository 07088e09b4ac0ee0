/** Whether a method of client authentication is the client certificate of the connection (RFC 8705 section 2). */
export function isMutualTls(method: string | undefined): boolean {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}
