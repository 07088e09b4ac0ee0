import type { IncomingMessage } from 'node:http'
import type { IssuedToken } from '@broker/core'

const attached = new WeakMap<IncomingMessage, IssuedToken>()

/**
 * Returns the last token that `attachToken` added to a request; `undefined` without one. Use it with
 * `broker.invalidate(token)` when a backend refuses the token without a 401.
 */
export function tokenOf(request: IncomingMessage): IssuedToken | undefined {
  return attached.get(request)
}

export function noteAttachedToken(request: IncomingMessage, token: IssuedToken): void {
  attached.set(request, token)
}
