import { BodyCopy } from './body-copy.ts'
import { type RequestBody, requestBody } from './request-body.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/** A call as `fetch` got it, taken apart so that it can be sent again, and elsewhere. */
export interface OutgoingCall {
  readonly url: URL
  readonly method: string
  /** Those of the caller. */
  readonly headers: Headers
  readonly body: RequestBody
  readonly redirect: 'error' | 'follow' | 'manual'
  readonly signal: AbortSignal | undefined
  /** The caller's `Request`, a plain one, while the call still goes where that says and takes its body from there. */
  readonly request: Request | undefined
  /** The body of `request`, as far as it may be sent again. */
  readonly bodyCopy: BodyCopy | undefined
  /** Every other field that the caller gave. */
  readonly rest: RequestInit
}

/** The fields of a `Request` that a call keeps wherever it is sent. */
const requestFields = [
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
] as const

/** The fields that an init may have on its prototype: a `Request` may serve as one. */
const initFields = [...requestFields, 'body', 'duplex', 'headers', 'method', 'redirect', 'signal'] as const

/** Methods that are written in capitals whatever the caller's case (Fetch standard, "normalize a method"). */
const normalizedMethods = /^(?:delete|get|head|options|post|put)$/i

/**
 * Where a call goes, or `undefined` for what is no URL; `fetch` itself says what is wrong with it. To be asked once: what
 * is judged is what is sent.
 */
export function urlOfInput(input: FetchInput): URL | undefined {
  return URL.parse(ownUrlOf(input) ?? (isForeignRequest(input) ? input.url : String(input))) ?? undefined
}

/** The caller's headers, before anything is taken from a body. Throws the `TypeError` of `fetch` for wrong ones. */
export function headersOfCall(input: FetchInput, init: RequestInit | undefined): Headers {
  const given = input instanceof Request || isForeignRequest(input) ? input : undefined
  return new Headers(init?.headers ?? given?.headers)
}

/** Takes over the body of a `Request`. Throws the `TypeError` of `fetch` for one that was sent already. */
export function outgoingCall(
  url: URL,
  input: FetchInput,
  init: RequestInit | undefined,
  maxReplayBytes: number,
): OutgoingCall {
  const { method, headers, body, redirect, signal, ...rest } = fieldsOf(init ?? {})
  const given = input instanceof Request || isForeignRequest(input) ? input : undefined
  const hasOwnBody = body !== undefined && body !== null
  // A plain one, of no other class and without fields of its own.
  const request = given instanceof Request && !hasOwnBody ? new Request(given) : undefined
  const source = request ?? given
  const bodyCopy =
    hasOwnBody || !source?.body || maxReplayBytes === 0 ? undefined : copyOf(source, maxReplayBytes)
  const givenMethod = String(method ?? source?.method ?? 'GET')
  return {
    url,
    method: normalizedMethods.test(givenMethod) ? givenMethod.toUpperCase() : givenMethod,
    headers: new Headers(headers ?? source?.headers),
    // A `Request` shows its body as a stream, whatever it was made from.
    body: requestBody(hasOwnBody ? body : (source?.body ?? null)),
    redirect: redirect ?? source?.redirect ?? 'follow',
    signal: (signal === undefined ? source?.signal : signal) ?? undefined,
    request,
    bodyCopy,
    rest: request === undefined && source !== undefined ? { ...keptFields(source), ...rest } : rest,
  }
}

/** The arguments with which a call is sent, once; its headers are the caller's under those given here. */
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
    // Redirects are followed by us, or by nobody: what follows them elsewhere takes mapped headers along.
    redirect: call.redirect === 'follow' ? 'manual' : call.redirect,
  }
  if (call.signal !== undefined) init.signal = call.signal
  // The body of a `Request` is sent from there, so that `fetch` knows what it was made from.
  if (call.body.value !== null && call.request === undefined) {
    init.body = call.body.value
    if (call.body.size === undefined) init.duplex = 'half'
  }
  return [call.request ?? call.url.href, init]
}

/** The same call to another place, which the caller's `Request` does not know. */
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

/** The same call with the body of its `Request` as bytes, when that could be copied. */
export async function withCopiedBody(call: OutgoingCall): Promise<OutgoingCall> {
  const bytes = await call.bodyCopy?.complete()
  return bytes === undefined ? call : callElsewhere(call, { ...call, body: requestBody(bytes) })
}

/** `undefined` for what is no `Request` of this process's global class. */
function ownUrlOf(input: FetchInput): string | undefined {
  if (!(input instanceof Request)) return undefined
  // What `fetch` itself reads, whatever a class or an object on top of it says.
  return Object.getOwnPropertyDescriptor(Request.prototype, 'url')?.get?.call(input)
}

/** One of another class of the same name, as the package undici brings it: its fields are read, it is never sent. */
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
