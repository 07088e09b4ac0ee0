import type { IssuedToken } from '../tokens/issued-token.ts'
import { drainResponse } from './drain-response.ts'
import { KeptBody } from './kept-body.ts'
import { fetchArguments, type OutgoingCall, outgoingCall, urlOfInput } from './outgoing-call.ts'
import { type OutgoingTokenOptions, OutgoingTokens, type TokenProvider } from './outgoing-tokens.ts'
import { redirectedCall } from './redirected-call.ts'

/** As in the Fetch standard. */
const maxRedirects = 20

export interface CreateFetchOptions extends OutgoingTokenOptions {
  /** What sends. Default: the global `fetch` at the time of the call. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * A `fetch` that puts the broker's token on calls to the places in `allow`, and on no others.
 *
 * No token, no request: it rejects with `BrokerError`, or with the reason of the caller's own abort. Redirects are
 * followed inside `allow` only; one that leads out is returned as it is. After a 401 the token is replaced, and the call
 * sent once more when its body is not longer than `maxReplayBytes` and no stream, or the body of a `Request` that was
 * wholly read by then. A dispatcher goes into the init of a
 * call: one inside a `Request` is not seen after a redirect. Throws a `TypeError` that names the wrong option.
 */
export function createFetch(broker: TokenProvider, options: CreateFetchOptions): typeof globalThis.fetch {
  const tokens = new OutgoingTokens(broker, options, [
    'allow',
    'token',
    'ownAuthorization',
    'maxReplayBytes',
    'fetch',
  ])
  const send = options.fetch ?? globalFetch
  if (typeof send !== 'function') throw new TypeError('fetch must be a function')
  return async (input, init) => {
    const url = urlOfInput(input)
    if (url === undefined || !tokens.mayGoTo(url)) return send(input, init)
    const call = outgoingCall(url, input, init)
    if (tokens.leaveAlone(name => call.headers.has(name))) return send(input, init)
    return sendWithToken(call, tokens, send)
  }
}

/** Looked up for each call, or what a test or an agent puts in its place later would not be asked. */
const globalFetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)

async function sendWithToken(
  first: OutgoingCall,
  tokens: OutgoingTokens,
  send: typeof globalThis.fetch,
): Promise<Response> {
  let call = first
  let mayRetry = true
  for (let redirects = 0; ; redirects++) {
    call.signal?.throwIfAborted()
    const token = await tokens.get(call.signal)
    const kept = KeptBody.of(call, tokens.maxReplayBytes)
    if (kept !== undefined) call = kept.in(call)
    let response = await send(...fetchArguments(call, token.headers))
    if (kept !== undefined) call = kept.in(call)
    if (mayRetry && tokens.isRefusal(response.status, response.headers.get('www-authenticate'))) {
      mayRetry = false
      const again = await replacement(call, token, tokens)
      if (again !== undefined) {
        await drainResponse(response)
        response = await send(...fetchArguments(call, again.headers))
      }
    }
    const next = call.redirect === 'follow' ? redirectedCall(call, response) : undefined
    if (next === undefined || !tokens.mayGoTo(next.url))
      return redirects > 0 ? asRedirected(response) : response
    await drainResponse(response)
    if (redirects === maxRedirects) throw new TypeError(`more than ${maxRedirects} redirects`)
    call = next
  }
}

async function replacement(
  { body, signal }: OutgoingCall,
  refused: IssuedToken,
  tokens: OutgoingTokens,
): Promise<IssuedToken | undefined> {
  if (body.size !== undefined && body.size <= tokens.maxReplayBytes) return tokens.replace(refused, signal)
  tokens.drop(refused)
  return undefined
}

/** A response knows only of redirects that `fetch` itself followed. */
function asRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true })
}
