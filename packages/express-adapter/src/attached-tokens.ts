import type { IncomingMessage } from 'node:http'
import type { IssuedToken } from '@broker/core'

const attached = new WeakMap<IncomingMessage, readonly IssuedToken[]>()

function tokensOf(request: IncomingMessage): readonly IssuedToken[] {
  return attached.get(request) ?? []
}

/** The headers that `attachToken` has put on a request, in lower case. */
export function headersAttachedTo(request: IncomingMessage): ReadonlySet<string> {
  return new Set(tokensOf(request).flatMap(({ headers }) => Object.keys(headers)))
}

/** Remembers the token, so that a second one does not take away its headers for those of the client. */
export function noteAttached(request: IncomingMessage, token: IssuedToken): void {
  attached.set(request, [...tokensOf(request), token])
}

/** The token that `attachToken` put on a request, the last one of several: for `invalidate`, or for a call of your own. */
export function tokenOf(request: IncomingMessage): IssuedToken | undefined {
  return tokensOf(request).at(-1)
}
