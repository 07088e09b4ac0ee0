/** A token exchange as configured (RFC 8693). */
export interface ExchangeDefinition {
  /** The id of the connector in Dex that knows the caller's issuer. */
  readonly connectorId: string
  /** The name of a configured client. */
  readonly client: string
  /** Space-separated scopes in place of the client's. */
  readonly scope?: string | undefined
  /** Client ids of peers in place of the client's `audiences`. */
  readonly audiences?: readonly string[] | undefined
  /** Type of the caller's JWT. Default: `id_token`. */
  readonly subjectTokenType?: 'id_token' | 'access_token' | undefined
}

/** A rule as configured; exactly one of `client`, `exchange`, `pass` and `deny` is set. */
export interface RuleDefinition {
  /** Unique, for the log. */
  readonly name: string
  /** CEL that gives a boolean: whether the rule applies. */
  readonly when: string
  /** The name of a configured client, or `caller` for the credentials in the caller's headers. */
  readonly client?: string | undefined
  /** Space-separated scopes in place of the client's. Not with the client `caller`. */
  readonly scope?: string | undefined
  /** Client ids of peers in place of the client's `audiences`. Not with the client `caller`. */
  readonly audiences?: readonly string[] | undefined
  /** The client ids that may be used. Only with the client `caller`. */
  readonly allowedClientIds?: readonly string[] | undefined
  /** The scopes that may be requested. Only with the client `caller`. */
  readonly allowedScopes?: readonly string[] | undefined
  /** The caller's JWT is exchanged for a token of Dex for the same caller. */
  readonly exchange?: ExchangeDefinition | undefined
  /** The caller's own JWT is passed on. */
  readonly pass?: true | undefined
  /** The request is refused with this text for the caller. */
  readonly deny?: string | undefined
  /** Request headers for the backend: CEL that gives a string, by header name. Not with `deny`. */
  readonly set?: Readonly<Record<string, string>> | undefined
}

/** A fault in the definition of the rules. */
export interface RuleFault {
  /** Where it is: `['rules', 3, 'when']`. */
  readonly path: readonly (string | number)[]
  /** Where it is in the expression, in UTF-16 code units from 0; `undefined` when the whole value is meant. */
  readonly offset?: number | undefined
  /** The fault, with a suggestion where there is one. */
  readonly problem: string
}

/** A fault in an expression. */
export interface ExpressionFault {
  /** In UTF-16 code units from 0. */
  readonly offset?: number | undefined
  readonly problem: string
}
