import { BodyCopy } from './body-copy.ts'
import { type RequestBody, requestBody } from './request-body.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/** The parts of a `fetch` call, so that it can be sent again and to another URL. */
export interface OutgoingCall {
  readonly url: URL
  readonly method: string
  /** The caller's headers. */
  readonly headers: Headers
  readonly body: RequestBody
  readonly redirect: 'error' | 'follow' | 'manual'
  readonly signal: AbortSignal | undefined
  /** A plain copy of the caller's `Request`, while URL and body still come from it. */
  readonly request: Request | undefined
  /** The copy of the body of `request`, for another attempt. */
  readonly bodyCopy: BodyCopy | undefined
  /** Every other field of the caller. */
  readonly rest: RequestInit
}

/** The fields of a `Request` that a call keeps at every URL. */
const requestFields = [
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
] as const

/** The fields that an init can have on its prototype, because a `Request` can be an init. */
const initFields = [...requestFields, 'body', 'duplex', 'headers', 'method', 'redirect', 'signal'] as const

/** Methods that are converted to upper case (Fetch standard, "normalize a method"). */
const normalizedMethods = /^(?:delete|get|head|options|post|put)$/i

/**
 * Returns the URL of a call; `undefined` when it is not one, which `fetch` itself reports. Call it once, so that the URL that is
 * judged is the URL that is sent.
 */
export function urlOfInput(input: FetchInput): URL | undefined {
  return URL.parse(ownUrlOf(input) ?? (isForeignRequest(input) ? input.url : String(input))) ?? undefined
}

/** Returns the caller's headers, without the headers that a body implies. Throws the `TypeError` of `fetch` for invalid headers. */
export function headersOfCall(input: FetchInput, init: RequestInit | undefined): Headers {
  const given = input instanceof Request || isForeignRequest(input) ? input : undefined
  return new Headers(init?.headers ?? given?.headers)
}

/** Parses a call and takes over the body of a `Request`. Throws the `TypeError` of `fetch` for a used body. */
export function outgoingCall(
  url: URL,
  input: FetchInput,
  init: RequestInit | undefined,
  maxReplayBytes: number,
): OutgoingCall {
  const { method, headers, body, redirect, signal, ...rest } = fieldsOf(init ?? {})
  const given = input instanceof Request || isForeignRequest(input) ? input : undefined
  const hasOwnBody = body !== undefined && body !== null
  // A plain copy, without the fields of a subclass.
  const request = given instanceof Request && !hasOwnBody ? new Request(given) : undefined
  const source = request ?? given
  const bodyCopy =
    hasOwnBody || !source?.body || maxReplayBytes === 0 ? undefined : copyOf(source, maxReplayBytes)
  const givenMethod = String(method ?? source?.method ?? 'GET')
  return {
    url,
    method: normalizedMethods.test(givenMethod) ? givenMethod.toUpperCase() : givenMethod,
    headers: new Headers(headers ?? source?.headers),
    // A `Request` exposes its body as a stream, whatever its source.
    body: requestBody(hasOwnBody ? body : (source?.body ?? null)),
    redirect: redirect ?? source?.redirect ?? 'follow',
    signal: (signal === undefined ? source?.signal : signal) ?? undefined,
    request,
    bodyCopy,
    rest: request === undefined && source !== undefined ? { ...keptFields(source), ...rest } : rest,
  }
}

/** Returns the arguments to send a call once. The token's headers replace the caller's. */
export function fetchArguments(
  call: OutgoingCall,
  tokenHeaders: Readonly<Record<string, string>>,
): [string | Request, RequestInit] {
  const headers = new Headers(call.headers)
  for (const [name, value] of Object.entries(tokenHeaders)) headers.set(name, value)
  const init: RequestInit = {
    ...call.rest,
    method: call.method,
    headers,
    // The caller of this function follows redirects, because `fetch` would send mapped headers along.
    redirect: call.redirect === 'follow' ? 'manual' : call.redirect,
  }
  if (call.signal !== undefined) init.signal = call.signal
  // The `Request` itself sends its body, so that `fetch` knows the source.
  if (call.body.value !== null && call.request === undefined) {
    init.body = call.body.value
    if (call.body.size === undefined) init.duplex = 'half'
  }
  return [call.request ?? call.url.href, init]
}

/** Returns the call with another URL, independent of the caller's `Request`. */
export function callElsewhere(
  call: OutgoingCall,
  changes: Pick<OutgoingCall, 'url' | 'method' | 'headers' | 'body'>,
): OutgoingCall {
  const { request } = call
  return {
    ...call,
    ...changes,
    request: undefined,
    bodyCopy: undefined,
    rest: { ...(request && keptFields(request)), ...call.rest },
  }
}

/** Returns the call with the body of its `Request` as bytes, if it could be copied. */
export async function withCopiedBody(call: OutgoingCall): Promise<OutgoingCall> {
  const bytes = await call.bodyCopy?.complete()
  return bytes === undefined ? call : callElsewhere(call, { ...call, body: requestBody(bytes) })
}

/** Returns the URL of a `Request` of the global class; `undefined` for other values. */
function ownUrlOf(input: FetchInput): string | undefined {
  if (!(input instanceof Request)) return undefined
  // Reads what `fetch` reads, whatever a subclass or the object overrides.
  return Object.getOwnPropertyDescriptor(Request.prototype, 'url')?.get?.call(input)
}

/** A `Request` of another class, such as undici's: its fields are read, and it is never sent itself. */
function isForeignRequest(input: FetchInput): input is Request {
  return (
    typeof input === 'object' &&
    !(input instanceof Request) &&
    (input as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Request' &&
    'url' in input
  )
}

function copyOf(request: Request, maxBytes: number): BodyCopy | undefined {
  const { body } = request.clone()
  return body === null ? undefined : new BodyCopy(body, maxBytes)
}

function keptFields(request: Request): RequestInit {
  const fields: Record<string, unknown> = {}
  for (const name of requestFields) if (request[name] !== undefined) fields[name] = request[name]
  return fields
}

function fieldsOf(init: RequestInit): RequestInit {
  const fields: Record<string, unknown> = { ...init }
  for (const name of initFields) {
    const value = (init as Record<string, unknown>)[name]
    if (value !== undefined) fields[name] = value
  }
  return fields
}
