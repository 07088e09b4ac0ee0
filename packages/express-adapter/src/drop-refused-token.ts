import type { ServerResponse } from 'node:http'
import { type IssuedToken, refusesToken, type TokenProvider } from '@broker/core'
import { onAnswerOver } from './client-gone.ts'

/** Answers of the broker, which say nothing about a backend. */
const own = new WeakSet<ServerResponse>()

/** Marks an answer as the broker's own. */
export function noteOwnRefusal(response: ServerResponse): void {
  own.add(response)
}

/** Drops the forwarded token when the answer ends and the backend refused the token. */
export function dropRefusedToken(
  broker: Required<Pick<TokenProvider, 'invalidate'>>,
  token: IssuedToken,
  response: ServerResponse,
): void {
  onAnswerOver(response, () => {
    if (!response.headersSent || own.has(response)) return
    const challenges = [response.getHeader('www-authenticate') ?? []].flat().join(', ')
    if (refusesToken(response.statusCode, challenges)) broker.invalidate(token)
  })
}
