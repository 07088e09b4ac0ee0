import type { IssuedToken } from '../tokens/issued-token.ts'
import type { CallTokens } from './call-tokens.ts'
import { type OutgoingTokenOptions, OutgoingTokens, outgoingTokenOptions } from './outgoing-tokens.ts'
import { refusesToken } from './refuses-token.ts'
import { bodySize } from './request-body.ts'
import type { TokenProvider } from './token-provider.ts'

/** The options of a got request that are used. */
interface GotOptions {
  url?: string | URL | undefined
  headers: Record<string, string | string[] | undefined>
  context: Record<string, unknown>
  body?: unknown
  followRedirect: unknown
  signal?: AbortSignal | undefined
}

interface GotResponse {
  readonly statusCode: number
  readonly headers: { readonly 'www-authenticate'?: string | undefined }
  readonly request: { readonly options: GotOptions }
}

/** Hooks for `got.extend({ hooks })`, for got 16. */
export interface GotHooks {
  /** Adds the token to each attempt. */
  readonly beforeRequest: ((options: GotOptions) => Promise<void>)[]
  /** Repeats a call once with a new token after a 401. */
  readonly afterResponse: (<Response extends GotResponse>(
    response: Response,
    retry: (options: { preserveHooks: boolean }) => never,
  ) => Promise<Response>)[]
  /** Hides the token in errors from logs. */
  readonly beforeError: (<Failure extends object>(error: Failure) => Failure)[]
}

/** The state of a call over all its attempts. */
interface GotCall {
  /** The URL of the last attempt. */
  href: string
  /** The tokens for that URL. */
  tokens: CallTokens
  token: IssuedToken
  /** The token's headers on the last attempt. */
  headers: Readonly<Record<string, string>>
  /** The token of the next attempt, after a refusal. */
  next: IssuedToken | undefined
  mayRetry: boolean
}

/** In the context, because got copies the options for each attempt. */
const callKey = Symbol('@broker/core/gotCall')

/**
 * Creates got hooks that add the broker's token to calls to the origins in `allow`, and to no others:
 * `got.extend({ hooks: gotHooks(broker, { allow }) })`.
 *
 * Without a token the call rejects with got's `RequestError`, whose `cause` is the `BrokerError`, and nothing is sent.
 * Redirects of calls with a token are not followed. After a 401 the token is replaced and the call is repeated once, if its
 * body is not a stream and at most `maxReplayBytes` long; got streams are never repeated. A logged error does not show the
 * token: its `options`, `request` and `response` are not enumerable.
 *
 * Put a `beforeRequest` hook that changes the URL before these hooks. Throws a `TypeError` that names a wrong option.
 */
export function gotHooks(provider: TokenProvider, options: OutgoingTokenOptions): GotHooks {
  const tokens = new OutgoingTokens(provider, options, outgoingTokenOptions)
  return {
    beforeRequest: [request => attach(tokens, request)],
    afterResponse: [
      async (response, retry) =>
        (await hasReplacement(tokens, response)) ? retry({ preserveHooks: true }) : response,
    ],
    beforeError: [withoutToken],
  }
}

async function attach(tokens: OutgoingTokens, options: GotOptions): Promise<void> {
  const call = callOf(options)
  takeBack(options, call?.headers)
  const url = URL.parse(String(options.url))
  if (url === null || !tokens.mayGoTo(url)) return
  if (tokens.leaveAlone(name => options.headers[name] !== undefined)) return
  const { href } = url
  // Another hook can have changed the URL, and another URL can have another token request.
  const before = call?.href === href ? call : undefined
  const ofCall = before?.tokens ?? tokens.forCall(url)
  const token = before?.next ?? (await ofCall.get(options.signal))
  const { headers } = token
  const attempt = { href, tokens: ofCall, token, headers, next: undefined }
  if (call === undefined) {
    const first: GotCall = { ...attempt, mayRetry: true }
    options.context = { ...options.context, [callKey]: first }
  } else {
    Object.assign(call, attempt)
  }
  Object.assign(options.headers, headers)
  // Following a redirect would send mapped headers along.
  options.followRedirect = false
}

/** Removes the token's headers of the previous attempt, because another hook can have changed the URL. */
function takeBack({ headers }: GotOptions, ours: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(ours)) {
    if (headers[name] === value) headers[name] = undefined
  }
}

async function hasReplacement(tokens: OutgoingTokens, response: GotResponse): Promise<boolean> {
  const { statusCode, headers, request } = response
  const call = callOf(request.options)
  if (call === undefined || !call.mayRetry) return false
  if (!refusesToken(statusCode, headers['www-authenticate'] ?? null)) return false
  call.mayRetry = false
  if (!tokens.isReplayable(bodySize(request.options.body))) {
    call.tokens.drop(call.token)
    return false
  }
  call.next = await call.tokens.replace(call.token, request.options.signal)
  return call.next !== undefined
}

function callOf({ context }: GotOptions): GotCall | undefined {
  return (context as { [callKey]?: GotCall })[callKey]
}

/** Hides the request headers in an error from code that logs the error. */
function withoutToken<Failure extends object>(error: Failure): Failure {
  for (const name of ['options', 'request', 'response']) {
    const field = Object.getOwnPropertyDescriptor(error, name)
    if (field?.configurable) Object.defineProperty(error, name, { ...field, enumerable: false })
  }
  return error
}
