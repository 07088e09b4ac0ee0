import type { Dispatcher } from 'undici'
import type { Transport } from '../shared/http/transport.ts'

/**
 * Creates a transport for `TokenBroker` from an undici dispatcher, for your own pool, certificates and timeouts. It does not
 * change the global dispatcher and does not close the given one.
 *
 * The dispatcher must not follow redirects. It may have a `tokenInterceptor`, which passes the token endpoint unchanged.
 * Throws a `TypeError` for another value.
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
