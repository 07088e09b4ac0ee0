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
  /** The caller's `Request` while the call still goes where that says. */
  readonly request: Request | undefined
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

/** Where a call goes, or `undefined` for what is no URL; `fetch` itself says what is wrong with it. */
export function urlOfInput(input: FetchInput): URL | undefined {
  return URL.parse(isRequest(input) ? input.url : String(input)) ?? undefined
}

/** Throws the `TypeError` of `fetch` for headers that cannot be sent. */
export function outgoingCall(url: URL, input: FetchInput, init: RequestInit | undefined): OutgoingCall {
  const request = isRequest(input) ? input : undefined
  const { method, headers, body, redirect, signal, ...rest } = fieldsOf(init ?? {})
  const givenMethod = String(method ?? request?.method ?? 'GET')
  const ownBody = request?.body ?? null
  return {
    url,
    method: normalizedMethods.test(givenMethod) ? givenMethod.toUpperCase() : givenMethod,
    headers: new Headers(headers ?? request?.headers),
    // A `Request` shows its body as a stream, whatever it was made from.
    body: body === undefined || body === null ? requestBody(ownBody) : requestBody(body),
    redirect: redirect ?? request?.redirect ?? 'follow',
    signal: (signal === undefined ? request?.signal : signal) ?? undefined,
    request,
    rest,
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
  if (call.body.value !== null && call.body.value !== call.request?.body) init.body = call.body.value
  return [call.request ?? call.url.href, init]
}

/** The same call to another place, which the caller's `Request` does not know. */
export function callElsewhere(
  call: OutgoingCall,
  changes: Pick<OutgoingCall, 'url' | 'method' | 'headers' | 'body'>,
): OutgoingCall {
  const { request } = call
  const fields: Record<string, unknown> = {}
  for (const name of request === undefined ? [] : requestFields) fields[name] = request?.[name]
  return { ...call, ...changes, request: undefined, rest: { ...fields, ...call.rest } }
}

function isRequest(input: FetchInput): input is Request {
  return typeof input === 'object' && 'url' in input && 'headers' in input
}

function fieldsOf(init: RequestInit): RequestInit {
  const fields: Record<string, unknown> = { ...init }
  for (const name of initFields) {
    const value = (init as Record<string, unknown>)[name]
    if (value !== undefined) fields[name] = value
  }
  return fields
}
