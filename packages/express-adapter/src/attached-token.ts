import type { IncomingMessage } from 'node:http'
import type { IssuedToken } from '@broker/core'

const attached = new WeakMap<IncomingMessage, IssuedToken>()

/**
 * The token that `attachToken` put on a request, the last one of several; `undefined` when it did not. For code that sees
 * the backend refuse it otherwise than by the status of the answer: `broker.invalidate(token)`.
 */
export function tokenOf(request: IncomingMessage): IssuedToken | undefined {
  return attached.get(request)
}

export function noteAttachedToken(request: IncomingMessage, token: IssuedToken): void {
  attached.set(request, token)
}
