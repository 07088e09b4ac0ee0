import type { IncomingMessage } from 'node:http'

const attached = new WeakMap<IncomingMessage, ReadonlySet<string>>()
const none: ReadonlySet<string> = new Set()

/** The headers that `attachToken` set on a request, in lower case. */
export function headersAttachedTo(request: IncomingMessage): ReadonlySet<string> {
  return attached.get(request) ?? none
}

/** Remembers the headers of a token, so that a second `attachToken` does not remove them like headers of the client. */
export function noteAttachedHeaders(request: IncomingMessage, names: readonly string[]): void {
  attached.set(request, new Set([...headersAttachedTo(request), ...names]))
}
