import type { ServerResponse } from 'node:http'
import { type Broker, type IssuedToken, refusesToken } from '@broker/core'
import { onAnswerOver } from './client-gone.ts'

/** Answers that say nothing about a backend: the broker's own refusals. */
const own = new WeakSet<ServerResponse>()

/** Says that a response is no answer of a backend. */
export function noteOwnRefusal(response: ServerResponse): void {
  own.add(response)
}

/** Drops the token that was forwarded when the answer is that the backend does not take it. */
export function dropRefusedToken(broker: Broker, token: IssuedToken, response: ServerResponse): void {
  onAnswerOver(response, () => {
    if (!response.headersSent || own.has(response)) return
    const challenges = [response.getHeader('www-authenticate') ?? []].flat().join(', ')
    if (refusesToken(response.statusCode, challenges)) broker.invalidate(token)
  })
}
