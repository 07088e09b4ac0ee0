import type { Transport } from '@broker/core'

/** The text in place of a token. */
export const placeholderToken = 'TOKEN'

/** Wraps a transport so that token requests are answered here, with a placeholder, and never sent. */
export function withPlaceholderTokens(send: Transport, fields: readonly string[]): Transport {
  const answer = {
    ...Object.fromEntries(fields.map(field => [field, field.toUpperCase()])),
    access_token: placeholderToken,
    token_type: 'bearer',
    expires_in: 3600,
  }
  return async (url, request) => (request.method === 'POST' ? Response.json(answer) : send(url, request))
}
