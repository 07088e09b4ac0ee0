import { assertPlainObject } from '../options/option-values.ts'

/** The type of a subject token: an ID token, or an access token (RFC 8693 section 3). */
export type SubjectTokenType = 'id_token' | 'access_token'

/** The parts of a token exchange that an operator chooses. */
export interface ExchangeParts {
  /** The id of the connector in Dex that knows the issuer of the subject token. At most 256 characters. */
  readonly connectorId: string
  /**
   * The client that requests the exchange: a name in the option `clients`, or `default` for the option `client`. Default:
   * `default`.
   */
  readonly client?: string
  /** Space-separated scopes in place of the client's. */
  readonly scope?: string | undefined
  /** Client ids of peers in place of the client's `audiences`. */
  readonly audiences?: readonly string[] | undefined
  /** The type of the subject token. Default: `id_token`, which also fits the access tokens of Dex. */
  readonly subjectTokenType?: SubjectTokenType | undefined
}

/** A request for a token of Dex about the user of a subject token (RFC 8693). */
export interface ExchangeRequest extends ExchangeParts {
  /** The user's JWT, without `Bearer`, at most 16 KiB. A secret: do not log it. */
  readonly subjectToken: string
}

/** The members of a token exchange that an operator chooses. */
export const exchangePartNames: { readonly [Name in keyof Required<ExchangeParts>]: true } = {
  connectorId: true,
  client: true,
  scope: true,
  audiences: true,
  subjectTokenType: true,
}

/** Returns a copy of a request. Throws a `TypeError` that starts with `name` for a value that is not one. */
export function exchangeRequestOf(request: unknown, name: string): ExchangeRequest {
  assertPlainObject(request, name)
  const { subjectToken, ...parts } = request as ExchangeRequest
  if (typeof subjectToken !== 'string') throw new TypeError(`${name} has no subjectToken, a JWT as a string`)
  return { subjectToken, ...exchangePartsOf(parts, name) }
}

/** Returns a copy of the parts of a request that an operator chooses. Throws a `TypeError` that starts with `name`. */
export function exchangePartsOf(parts: unknown, name: string): ExchangeParts {
  assertPlainObject(parts, name)
  const problem = exchangePartsProblem(parts)
  if (problem !== undefined) throw new TypeError(`${name} ${problem}`)
  const { audiences, ...others } = parts as ExchangeParts
  return audiences === undefined ? others : { ...others, audiences: [...audiences] }
}

const maxConnectorIdLength = 256

/** Tells why the parts of an exchange are not usable, in words that follow it; `undefined` when they are. */
// Runs for each check, so it allocates nothing.
export function exchangePartsProblem(
  parts: { readonly [Name in keyof ExchangeParts]?: unknown },
): string | undefined {
  for (const name in parts)
    if (!(name in exchangePartNames)) return `has the unknown member ${JSON.stringify(name)}`
  const { connectorId, client, scope, audiences, subjectTokenType } = parts
  if (typeof connectorId !== 'string' || connectorId === '') return 'has no connectorId'
  if (connectorId.length > maxConnectorIdLength || !connectorId.isWellFormed())
    return 'has an unusable connectorId'
  // `undefined` too: a failed lookup must not select the default client.
  if ('client' in parts && typeof client !== 'string') return 'has a client that is not a string'
  if (scope !== undefined && typeof scope !== 'string') return 'has a scope that is not a string'
  if (audiences !== undefined && !isTexts(audiences)) return 'has audiences that are not a list of strings'
  if (subjectTokenType !== undefined && !isSubjectTokenType(subjectTokenType)) {
    return 'has a subjectTokenType other than id_token and access_token'
  }
  return undefined
}

function isTexts(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  for (const item of value) if (typeof item !== 'string') return false
  return true
}

function isSubjectTokenType(value: unknown): value is SubjectTokenType {
  return value === 'id_token' || value === 'access_token'
}
