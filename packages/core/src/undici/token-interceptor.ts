import type { Dispatcher } from 'undici'
import { type OutgoingTokenOptions, OutgoingTokens, type TokenProvider } from '../outbound/outgoing-tokens.ts'
import { hasHeader, headerLines } from './dispatch-headers.ts'
import { dispatchTarget } from './dispatch-target.ts'
import { TokenHandler } from './token-handler.ts'

/**
 * An interceptor for undici's `dispatcher.compose(...)` that puts the broker's token on requests to the places in
 * `allow`, and on no others; the token endpoint always passes through untouched.
 *
 * No token, no request: the request fails with `BrokerError`. After a 401 the token is replaced, and the request sent once
 * more when its body is nothing, a string or bytes up to `maxReplayBytes`; bodies of `fetch` are streams by then, for which
 * `createFetch` is the better place. Upgrades and CONNECT get a token and no second try.
 *
 * The order counts, innermost first: `compose(dns, tokenInterceptor(...), redirect)`. What follows redirects belongs
 * outside, so that every hop is judged anew (one further in is told to follow none); what rewrites the origin belongs
 * inside. Throws a `TypeError` that names the wrong option.
 */
export function tokenInterceptor(
  broker: TokenProvider,
  options: OutgoingTokenOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const tokens = new OutgoingTokens(broker, options, ['allow', 'token', 'ownAuthorization', 'maxReplayBytes'])
  return dispatch =>
    function attachToken(opts, handler) {
      refuseLegacyHandler(handler)
      const target = dispatchTarget(opts)
      if (target === undefined || !tokens.mayGoTo(target.url, target.path)) return dispatch(opts, handler)
      const headers = headerLines(opts.headers)
      // undici says what is wrong with them.
      if (headers === undefined) return dispatch(opts, handler)
      if (tokens.leaveAlone(name => hasHeader(headers, name))) {
        // An iterator that was read is empty the next time.
        return dispatch(isIterator(opts.headers) ? { ...opts, headers } : opts, handler)
      }
      const judged = { ...opts, ...target.opts }
      return new TokenHandler({ dispatch, opts: judged, headers, handler, tokens }).send()
    }
}

function isIterator(headers: unknown): boolean {
  return typeof headers === 'object' && headers !== null && 'next' in headers && Symbol.iterator in headers
}

/** The handlers of undici 6 and of the `fetch` of Node 22 and 24: behind undici 8 they would never be called. */
function refuseLegacyHandler(handler: Dispatcher.DispatchHandler): void {
  if (typeof handler !== 'object' || handler === null) return
  if (!('onConnect' in handler) || typeof handler.onRequestStart === 'function') return
  throw new TypeError(
    'the built-in fetch of this Node cannot use an undici 8 dispatcher: use fetch of the undici package, or wrap the dispatcher in its Dispatcher1Wrapper',
  )
}
