import { callElsewhere, type OutgoingCall } from './outgoing-call.ts'

const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** Headers that describe a body (Fetch standard, "request-body-header name"), and its length. */
const bodyHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]

/** Headers that are meant for the first origin only. */
const originHeaders = ['authorization', 'cookie', 'host', 'proxy-authorization']

/** Tells whether a response is a redirect. */
export function isRedirect({ status }: Response): boolean {
  return redirectStatuses.has(status)
}

/**
 * Returns the call to which a response redirects (Fetch standard, "HTTP-redirect fetch"). Returns `undefined` for other
 * responses, without a valid `Location`, and when the body was a stream.
 */
export function redirectedCall(call: OutgoingCall, response: Response): OutgoingCall | undefined {
  const location = isRedirect(response) ? response.headers.get('location') : null
  const url = location === null ? null : URL.parse(location, call.url)
  if (url === null) return undefined
  if (url.hash === '') url.hash = call.url.hash
  const { status } = response
  const becomesGet =
    (status === 303 && call.method !== 'GET' && call.method !== 'HEAD') ||
    ((status === 301 || status === 302) && call.method === 'POST')
  if (!becomesGet && call.body.size === undefined) return undefined
  const headers = new Headers(call.headers)
  if (becomesGet) for (const name of bodyHeaders) headers.delete(name)
  if (url.origin !== call.url.origin) for (const name of originHeaders) headers.delete(name)
  return callElsewhere(call, {
    url,
    method: becomesGet ? 'GET' : call.method,
    headers,
    body: becomesGet ? { value: null, size: 0 } : call.body,
  })
}
