import type { IssuedToken } from '../tokens/issued-token.ts'
import type { CallTokens } from './call-tokens.ts'
import { drainResponse } from './drain-response.ts'
import {
  fetchArguments,
  headersOfCall,
  type OutgoingCall,
  outgoingCall,
  urlOfInput,
  withCopiedBody,
} from './outgoing-call.ts'
import { type OutgoingTokenOptions, OutgoingTokens, outgoingTokenOptions } from './outgoing-tokens.ts'
import { isRedirect, redirectedCall } from './redirected-call.ts'
import { refusesToken } from './refuses-token.ts'
import type { TokenProvider } from './token-provider.ts'

/** The limit of the Fetch standard. */
const maxRedirects = 20

/** The options of {@link createFetch}. */
export interface CreateFetchOptions extends OutgoingTokenOptions {
  /** The `fetch` that sends the calls. Default: the global `fetch` at the time of the call. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * Creates a `fetch` that adds the broker's token to calls to the origins in `allow`, and to no others.
 *
 * Without a token it rejects with `BrokerError`, or with the reason of the caller's own abort, and sends nothing. It follows
 * redirects inside `allow` only and returns any other redirect as it is.
 *
 * After a 401 it replaces the token and repeats the call once, if the body is at most `maxReplayBytes` long and not a stream
 * in the init. The body of a `Request`, as ky and openapi-fetch create them, is copied up to that length while it is sent.
 * Pass a dispatcher in the init of a call: a dispatcher inside a `Request` is lost when the call is repeated.
 *
 * Throws a `TypeError` that names a wrong option.
 */
export function createFetch(provider: TokenProvider, options: CreateFetchOptions): typeof globalThis.fetch {
  const tokens = new OutgoingTokens(provider, options, [...outgoingTokenOptions, 'fetch'])
  const { fetch: givenFetch } = options
  const firstFetch = globalThis.fetch
  if (typeof (givenFetch ?? firstFetch) !== 'function') throw new TypeError('fetch must be a function')
  const send: typeof globalThis.fetch = (input, init) => {
    const { fetch } = globalThis
    // If this fetch replaces the global one, the previous global fetch sends.
    return (givenFetch ?? (fetch === fetchWithToken ? firstFetch : fetch))(input, init)
  }
  const fetchWithToken: typeof globalThis.fetch = async (input, init) => {
    const url = urlOfInput(input)
    if (url === undefined || !tokens.mayGoTo(url)) return send(input, init)
    const headers = headersOfCall(input, init)
    if (tokens.leaveAlone(name => headers.has(name))) return send(input, init)
    return sendWithToken(outgoingCall(url, input, init, tokens.maxReplayBytes), tokens, send)
  }
  return fetchWithToken
}

async function sendWithToken(
  first: OutgoingCall,
  tokens: OutgoingTokens,
  send: typeof globalThis.fetch,
): Promise<Response> {
  let call = first
  let mayRetry = true
  try {
    for (let redirects = 0; ; redirects++) {
      call.signal?.throwIfAborted()
      // Chosen anew for each URL: a redirect can lead to another tenant.
      const ofCall = tokens.forCall(call.url)
      const token = await ofCall.get(call.signal)
      let response = await send(...fetchArguments(call, token.headers))
      const isRefused = mayRetry && refusesToken(response.status, response.headers.get('www-authenticate'))
      if (isRefused || isRedirect(response)) call = await withCopiedBody(call)
      if (isRefused) {
        mayRetry = false
        const again = await replacement(call, token, tokens.isReplayable(call.body.size), ofCall)
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
  } finally {
    first.bodyCopy?.drop()
  }
}

async function replacement(
  { signal }: OutgoingCall,
  refused: IssuedToken,
  isReplayable: boolean,
  tokens: CallTokens,
): Promise<IssuedToken | undefined> {
  if (isReplayable) return tokens.replace(refused, signal)
  tokens.drop(refused)
  return undefined
}

/** `fetch` sets `redirected` only for redirects that it followed itself. */
function asRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true })
}
