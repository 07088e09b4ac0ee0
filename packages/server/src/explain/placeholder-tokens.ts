import type { Transport } from '@broker/core'

/** The text in place of a token. */
export const placeholderToken = 'TOKEN'

/** A field of a token request, and its value as it may be shown. */
export type ShownField = readonly [name: string, value: string]

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The field beside the access token of an exchange. Dex returns no ID token there. */
const ofExchange = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }

/** The fields whose values are neither secrets nor tokens. */
const shownFields = new Set([
  'grant_type',
  'connector_id',
  'subject_token_type',
  'requested_token_type',
  'scope',
  'client_id',
])

/** Answers token requests with a placeholder, so that none is sent. */
export class PlaceholderTokens {
  /** The form of the last token exchange, without secrets; `undefined` before there was one. */
  exchangeRequest: readonly ShownField[] | undefined
  readonly #mapped: Readonly<Record<string, string>>

  /** `fields` are the fields of the answer that are mapped to headers. */
  constructor(fields: readonly string[]) {
    this.#mapped = Object.fromEntries(fields.map(field => [field, field.toUpperCase()]))
  }

  /** Wraps a transport: requests other than POST are sent by it. */
  around(send: Transport): Transport {
    return async (url, request) =>
      request.method === 'POST' ? this.#answer(new URLSearchParams(request.body)) : send(url, request)
  }

  #answer(form: URLSearchParams): Response {
    const isExchange = form.get('grant_type') === exchangeGrant
    if (isExchange) this.exchangeRequest = [...form].map(shown)
    return Response.json({
      ...(isExchange ? ofExchange : this.#mapped),
      access_token: placeholderToken,
      token_type: 'bearer',
      expires_in: 3600,
    })
  }
}

function shown([name, value]: [string, string]): ShownField {
  if (name === 'subject_token') return [name, "<the caller's JWT>"]
  return [name, shownFields.has(name) ? value : '********']
}
