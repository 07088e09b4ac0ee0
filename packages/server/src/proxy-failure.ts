import { networkFailureCode } from '@broker/core/diagnosis'

/** Codes of a connection that was not made: all of them go to the proxy. Either side can break a tunnel. */
const connectionCodes =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_(?:CONNECT_TIMEOUT|PRX_\w+))$/
const statusPattern = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

/**
 * Renames the failure of a request that went through a proxy, where the proxy is what failed: `PROXY_407` for its answer to
 * CONNECT, `PROXY_ECONNREFUSED` for a code. Without it, the log would blame the server behind the proxy.
 */
export function proxyFailure(error: unknown): unknown {
  const status = statusPattern.exec((error as Error | undefined)?.message ?? '')?.[1]
  const code = networkFailureCode(error)
  const problem = status ?? (connectionCodes.test(code ?? '') ? code : undefined)
  if (problem === undefined) return error
  // Not as its cause: undici keeps the request, with its credentials, in some errors.
  return Object.assign(new Error('the request failed at the proxy'), { code: `PROXY_${problem}` })
}
