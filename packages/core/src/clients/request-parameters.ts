import type { TokenExchange } from './token-exchange.ts'

/** The parameters that the broker sends itself, client authentication included. `extraParams` cannot have them. */
export const ownParameters = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'scope',
  'resource',
  'subject_token',
  'subject_token_type',
  'connector_id',
] as const

export type OwnParameter = (typeof ownParameters)[number]

/** A name and its value, as they are sent. */
export type Parameter = [name: string, value: string]

/** The parts of a token request that are sent beside client authentication. */
export interface RequestParts {
  /** Space-separated, as it is sent; empty without a scope. */
  readonly scope: string
  /** The resource indicators, as they are sent. Default: none. */
  readonly resource?: readonly string[]
  /** Additional parameters, in the order of their names. Default: none. */
  readonly extraParams?: readonly Parameter[]
  /** The token exchange that is requested in place of the client's own token. */
  readonly exchange?: TokenExchange | undefined
}

const tokenTypePrefix = 'urn:ietf:params:oauth:token-type:'

/**
 * The parameters of a token request apart from client authentication, in the order in which they are sent (RFC 6749 section
 * 4.4.2, RFC 8707 section 2, RFC 8693 section 2.1 for an exchange). The form and the cache keys are both made of them, so that no
 * parameter is sent that the keys do not cover.
 */
export function requestParameters({
  exchange,
  scope,
  resource = [],
  extraParams = [],
}: RequestParts): Parameter[] {
  const own: [OwnParameter, string][] =
    exchange === undefined
      ? [['grant_type', 'client_credentials']]
      : [
          ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
          ['subject_token', exchange.subject.token],
          ['subject_token_type', tokenTypePrefix + exchange.subjectTokenType],
          ['connector_id', exchange.connectorId],
        ]
  // A scope of blanks alone is none (RFC 6749 section 3.3).
  if (scope.trim() !== '') own.push(['scope', scope])
  for (const uri of resource) own.push(['resource', uri])
  return extraParams.length === 0 ? own : [...own, ...extraParams]
}

/** Tells whether a request has no other part than its scope, as most have. */
export function hasScopeAlone({ resource, extraParams, exchange }: RequestParts): boolean {
  return exchange === undefined && !resource?.length && !extraParams?.length
}
