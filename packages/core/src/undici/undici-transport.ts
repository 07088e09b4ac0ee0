import type { Dispatcher } from 'undici'
import type { Transport } from '../shared/http/transport.ts'
import { rememberLatest } from '../shared/remember-latest.ts'
import { CollectedResponse } from './collected-response.ts'

/**
 * Creates a transport for `TokenBroker` from an undici dispatcher, for your own pool, certificates and timeouts. It does not
 * change the global dispatcher and does not close the given one.
 *
 * The dispatcher must not follow redirects. It may have a `tokenInterceptor`, which passes the token endpoint unchanged.
 * Throws a `TypeError` for another value.
 */
export function undiciTransport(dispatcher: Dispatcher): Transport {
  if (typeof dispatcher?.dispatch !== 'function')
    throw new TypeError('dispatcher must be an undici dispatcher')
  const latestTarget = rememberLatest(targetOf)
  return (url, request) =>
    new Promise((resolve, reject) => {
      const { origin, path } = latestTarget(url)
      const { method, headers, body = null } = request
      // Not `dispatcher.request`, whose response is a stream: that costs as much as the rest of a token request.
      dispatcher.dispatch(
        { origin, path, method, headers, body },
        new CollectedResponse(request, { resolve, reject }),
      )
    })
}

interface Target {
  readonly origin: string
  readonly path: string
}

function targetOf(url: string): Target {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: pathname + search }
}
