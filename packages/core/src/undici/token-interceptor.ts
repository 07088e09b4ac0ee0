import type { Dispatcher } from 'undici'
import {
  type OutgoingTokenOptions,
  OutgoingTokens,
  outgoingTokenOptions,
} from '../outbound/outgoing-tokens.ts'
import type { TokenProvider } from '../outbound/token-provider.ts'
import { hasHeader, headerLines } from './dispatch-headers.ts'
import { dispatchTarget } from './dispatch-target.ts'
import { TokenHandler } from './token-handler.ts'

/**
 * Creates an interceptor for undici's `dispatcher.compose(...)` that adds the broker's token to requests to the origins in
 * `allow`, and to no others. Requests to the token endpoint pass unchanged.
 *
 * Without a token the request fails with `BrokerError` and nothing is sent. After a 401 the token is replaced and the request
 * is repeated once, if its body is empty, a string or bytes of at most `maxReplayBytes`. Bodies of `fetch` are streams here:
 * use `createFetch` for them. Upgrades and CONNECT get a token and are never repeated.
 *
 * The order matters, innermost first: `compose(dns, tokenInterceptor(...), redirect)`. Put an interceptor that follows
 * redirects outside, so that each hop is judged, and one that rewrites the origin inside. An inner one follows no redirects.
 * Throws a `TypeError` that names a wrong option.
 */
export function tokenInterceptor(
  provider: TokenProvider,
  options: OutgoingTokenOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const tokens = new OutgoingTokens(provider, options, outgoingTokenOptions)
  return dispatch =>
    function attachToken(opts, handler) {
      refuseLegacyHandler(handler)
      const target = dispatchTarget(opts)
      if (target === undefined || !tokens.mayGoTo(target.url, target.path)) return dispatch(opts, handler)
      const headers = headerLines(opts.headers)
      // undici reports the error.
      if (headers === undefined) return dispatch(opts, handler)
      if (tokens.leaveAlone(name => hasHeader(headers, name))) {
        // An iterator can be read only once.
        return dispatch(isIterator(opts.headers) ? { ...opts, headers } : opts, handler)
      }
      const judged = { ...opts, ...target.opts }
      const { maxReplayBytes } = tokens
      const ofCall = tokens.forCall(target.url)
      return new TokenHandler({
        dispatch,
        opts: judged,
        headers,
        handler,
        maxReplayBytes,
        tokens: ofCall,
      }).send()
    }
}

function isIterator(headers: unknown): boolean {
  return typeof headers === 'object' && headers !== null && 'next' in headers && Symbol.iterator in headers
}

/** Refuses handlers of undici 6 and of the `fetch` of Node 22 and 24, which undici 8 never calls. */
function refuseLegacyHandler(handler: Dispatcher.DispatchHandler): void {
  if (typeof handler !== 'object' || handler === null) return
  if (!('onConnect' in handler) || typeof handler.onRequestStart === 'function') return
  throw new TypeError(
    'the built-in fetch of this Node cannot use an undici 8 dispatcher: use fetch of the undici package, or wrap the dispatcher in its Dispatcher1Wrapper',
  )
}
