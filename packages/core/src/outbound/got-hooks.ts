import type { IssuedToken } from '../tokens/issued-token.ts'
import { type OutgoingTokenOptions, OutgoingTokens, type TokenProvider } from './outgoing-tokens.ts'
import { bodySize } from './request-body.ts'

/** What is used of the options of a got request. */
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

/** Hooks for `got.extend({ hooks })`: got 16. */
export interface GotHooks {
  readonly beforeRequest: ((options: GotOptions) => Promise<void>)[]
  readonly afterResponse: (<Response extends GotResponse>(
    response: Response,
    retry: (options: { preserveHooks: boolean }) => never,
  ) => Promise<Response>)[]
  readonly beforeError: (<Failure extends object>(error: Failure) => Failure)[]
}

/** What is known of one call, over all of its attempts. */
interface GotCall {
  token: IssuedToken
  /** What was put on the last attempt. */
  headers: Readonly<Record<string, string>>
  /** The token of the next attempt, instead of one that was refused. */
  next: IssuedToken | undefined
  mayRetry: boolean
}

/** In the context, because got copies the options for each attempt. */
const callKey = Symbol('@broker/core/gotCall')

/**
 * Hooks of got that put the broker's token on calls to the places in `allow`, and on no others:
 * `got.extend({ hooks: gotHooks(broker, { allow }) })`.
 *
 * No token, no request: the call rejects with got's `RequestError`, of which `cause` is the `BrokerError`. Redirects of
 * calls with a token are not followed. After a 401 the token is replaced, and the call sent once more when its body is no
 * stream and not longer than `maxReplayBytes`; streams of got know no second try. An error does not show the token when
 * it is logged: its `options`, `request` and `response` are not enumerable.
 *
 * A `beforeRequest` hook that changes the URL belongs before these. Throws a `TypeError` that names the wrong option.
 */
export function gotHooks(broker: TokenProvider, options: OutgoingTokenOptions): GotHooks {
  const tokens = new OutgoingTokens(broker, options, ['allow', 'token', 'ownAuthorization', 'maxReplayBytes'])
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
  const token = call?.next ?? (await tokens.get(options.signal))
  const { headers } = token
  if (call === undefined) {
    const first: GotCall = { token, headers, next: undefined, mayRetry: true }
    options.context = { ...options.context, [callKey]: first }
  } else {
    Object.assign(call, { token, headers, next: undefined })
  }
  Object.assign(options.headers, headers)
  // What follows redirects takes mapped headers along.
  options.followRedirect = false
}

/** Headers of an attempt before, which another hook may have sent elsewhere, are none of the caller's. */
function takeBack({ headers }: GotOptions, ours: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(ours)) {
    if (headers[name] === value) headers[name] = undefined
  }
}

async function hasReplacement(tokens: OutgoingTokens, response: GotResponse): Promise<boolean> {
  const { statusCode, headers, request } = response
  const call = callOf(request.options)
  if (call === undefined || !call.mayRetry) return false
  if (!tokens.isRefusal(statusCode, headers['www-authenticate'] ?? null)) return false
  call.mayRetry = false
  if (!tokens.isReplayable(bodySize(request.options.body))) {
    tokens.drop(call.token)
    return false
  }
  call.next = await tokens.replace(call.token, request.options.signal)
  return call.next !== undefined
}

function callOf({ context }: GotOptions): GotCall | undefined {
  return (context as { [callKey]?: GotCall })[callKey]
}

/** What an error brings along holds the headers of its request, and whoever logs an error logs that. */
function withoutToken<Failure extends object>(error: Failure): Failure {
  for (const name of ['options', 'request', 'response']) {
    const field = Object.getOwnPropertyDescriptor(error, name)
    if (field?.configurable) Object.defineProperty(error, name, { ...field, enumerable: false })
  }
  return error
}
