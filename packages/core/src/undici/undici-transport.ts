import type { Dispatcher } from 'undici'
import type { Transport } from '../shared/http/transport.ts'

/**
 * A transport for `TokenBroker` over an undici dispatcher: a pool, certificates and timeouts of your own, and the
 * process's global dispatcher stays as it is. The dispatcher remains yours to close.
 *
 * The dispatcher must not follow redirects; one with a `tokenInterceptor` is fine, the token endpoint passes through it.
 */
export function undiciTransport(dispatcher: Dispatcher): Transport {
  if (typeof dispatcher?.request !== 'function')
    throw new TypeError('dispatcher must be an undici dispatcher')
  return async (url, { method, headers, body, signal }) => {
    const { origin, pathname, search } = new URL(url)
    const response = await dispatcher.request({
      origin,
      path: pathname + search,
      method,
      headers,
      body: body ?? null,
      signal,
    })
    return {
      status: response.statusCode,
      headers: { get: name => firstValue(response.headers[name]) },
      body: response.body,
    }
  }
}

function firstValue(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}
