import type { IncomingMessage } from 'node:http'

const attached = new WeakMap<IncomingMessage, ReadonlySet<string>>()
const none: ReadonlySet<string> = new Set()

/** The headers that `attachToken` has put on a request, in lower case. */
export function headersAttachedTo(request: IncomingMessage): ReadonlySet<string> {
  return attached.get(request) ?? none
}

/** Remembers them, so that a second token does not take away the first one for a header of the client. */
export function noteAttachedHeaders(request: IncomingMessage, names: readonly string[]): void {
  attached.set(request, new Set([...headersAttachedTo(request), ...names]))
}
