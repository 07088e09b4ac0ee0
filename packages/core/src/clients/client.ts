import type { Hint } from '../shared/hint.ts'
import type { CacheKeys } from './cache-key.ts'
import type { ClientAssertions } from './client-assertions.ts'
import type { ClientAuthenticationMethod, SecretlessAuthentication } from './client-authentication.ts'
import { assertClientCredentials, type OrderedCredentials, scopeWithAudiences } from './client-credentials.ts'
import type { ConfiguredSecret } from './configured-secret.ts'
import { extraParamsOf } from './extra-params.ts'
import type { Parameter } from './request-parameters.ts'
import { resourcesOf } from './resources.ts'
import type { SecretSource } from './secret-source.ts'
import type { TokenExchange } from './token-exchange.ts'
import { type OrderIssuer, TokenOrder } from './token-order.ts'
import { type TokenPart, type TokenRequest, tokenPartNames } from './token-request.ts'

/** The parts of a token request that come from the configuration. */
export interface ConfiguredClient {
  readonly clientId: string | undefined
  /** The private key in its place, where `authentication` has one. */
  readonly clientSecret: string | SecretSource | undefined
  /** `undefined`: a secret, by the method of the issuer's token endpoint. */
  readonly method?: ClientAuthenticationMethod | undefined
  /** Authentication without a secret. */
  readonly authentication?: SecretlessAuthentication | undefined
  readonly scope: string | undefined
  readonly audiences: readonly string[]
  readonly resource: readonly string[]
  readonly extraParams: readonly Parameter[]
}

/** Parts that an operator's rule puts in place of the configured ones. */
export interface ScopeChoice {
  readonly scope?: string | undefined
  readonly audiences?: readonly string[] | undefined
}

export interface ClientOptions {
  readonly name: string
  /** Whether the name is one in the option `clients`. Default `false`. */
  readonly isNamed?: boolean
  /** The issuer of its tokens. */
  readonly issuer: OrderIssuer
  readonly configured: ConfiguredClient
  /** The secret in `configured`, if there is one. */
  readonly secret: ConfiguredSecret | undefined
  readonly keys: CacheKeys
  /** Default: the method of the issuer's token endpoint. */
  readonly authMethod?: ClientAuthenticationMethod | undefined
  /** Makes its assertions, if it authenticates by them. */
  readonly assertions?: ClientAssertions | undefined
  /** Authenticates the requests that bring an id or a secret. Default: itself, so that each of the two replaces the configured one. */
  readonly forOwnCredentials?: Client
}

/** Limit of remembered orders of choices; a rule can compute its scope. */
const maxChosenOrders = 256

const noRequest: TokenRequest = Object.freeze({})
const noChoice: ScopeChoice = Object.freeze({})

/** A client of an issuer. Fills in the parts that a token request omits; derives the order of an empty request once. */
export class Client {
  readonly name: string
  readonly configured: ConfiguredClient
  readonly issuer: OrderIssuer
  readonly #secret: ConfiguredSecret | undefined
  readonly #keys: CacheKeys
  readonly #missingHalf: Hint | undefined
  /** The parts of its credentials that no request brings; `undefined` when there are none. */
  readonly #own: Pick<OrderedCredentials, 'client' | 'authMethod' | 'assertions'> | undefined
  readonly #forOwnCredentials: Client
  readonly #chosenOrders = new Map<string, TokenOrder>()
  #ownOrder: TokenOrder | undefined

  constructor(options: ClientOptions) {
    const { name, isNamed = false, issuer, configured, secret, keys, authMethod, assertions } = options
    this.name = name
    this.configured = configured
    this.issuer = issuer
    this.#secret = secret
    this.#keys = keys
    this.#missingHalf = missingHalfOf(configured)
    this.#own =
      isNamed || authMethod !== undefined
        ? { ...(isNamed && { client: name }), authMethod, ...(assertions && { assertions }) }
        : undefined
    this.#forOwnCredentials = options.forOwnCredentials ?? this
  }

  /**
   * Completes a token request to an order; `choice` replaces configured parts. Throws `missing_credentials` or
   * `invalid_request`.
   */
  order(request: TokenRequest = noRequest, choice: ScopeChoice = noChoice): TokenOrder {
    if (choice.scope === undefined && choice.audiences === undefined && bringsNothing(request)) {
      this.#ownOrder ??= this.#complete(request, choice)
      return this.#ownOrder
    }
    return this.#complete(request, choice)
  }

  /**
   * The order of a choice, without a request. Remembered, because the choices of rules are few. Throws like `order`; the choice
   * must have the types that it declares.
   */
  chosenOrder(choice: ScopeChoice): TokenOrder {
    const { scope, audiences } = choice
    if (scope === undefined && audiences === undefined) return this.order()
    // With lengths, because the parts can contain any character.
    const name = `${scope?.length} ${scope} ${audiences?.length} ${audiences?.join('\n')}`
    const known = this.#chosenOrders.get(name)
    if (known !== undefined) return known
    const order = this.order(undefined, choice)
    if (this.#chosenOrders.size >= maxChosenOrders) this.#chosenOrders.clear()
    this.#chosenOrders.set(name, order)
    return order
  }

  /** The order of a request that brings nothing; `undefined` when requests must bring a part. */
  get ownOrder(): TokenOrder | undefined {
    return isComplete(this.configured) ? this.order() : undefined
  }

  /** The order of a token exchange. Throws like `order`; the choice must have the types that it declares. */
  exchangeOrder(exchange: TokenExchange, choice: ScopeChoice): TokenOrder {
    return this.#complete(noRequest, choice, exchange)
  }

  /** The scope with audiences, as it is sent for a request with neither. */
  scopeOf(choice: ScopeChoice): string {
    const { scope, audiences } = this.configured
    return scopeWithAudiences(choice.scope ?? scope ?? '', choice.audiences ?? audiences)
  }

  #complete(request: TokenRequest, choice: ScopeChoice, exchange?: TokenExchange): TokenOrder {
    const configured = this.configured
    const { scope, audiences, resource, extraParams } = request
    // `null` counts as absent, like `undefined`.
    const ownId = request.clientId ?? undefined
    const ownSecret = request.clientSecret ?? undefined
    const by = (ownId ?? ownSecret) === undefined ? this : this.#forOwnCredentials
    const credentials: OrderedCredentials = {
      clientId: ownId ?? by.configured.clientId ?? '',
      clientSecret: ownSecret ?? by.#secret ?? '',
      scope: scopeWithAudiences(
        scope ?? choice.scope ?? configured.scope ?? '',
        audiences ?? choice.audiences ?? configured.audiences,
      ),
      resource: resource == null ? configured.resource : resourcesOf(resource, 'resource'),
      extraParams: extraParams == null ? configured.extraParams : extraParamsOf(extraParams, 'extraParams'),
      configured: ownId === undefined && ownSecret === undefined,
      // A choice is the operator's, like the configuration.
      scopeConfigured: (scope ?? audiences ?? resource ?? extraParams) === undefined,
      ...(exchange !== undefined && { exchange }),
      ...by.#own,
    }
    assertClientCredentials(credentials, by.#missingHalf)
    return new TokenOrder(credentials, by.issuer, by.#keys)
  }
}

/** Whether a client needs nothing of a request. */
export function isComplete({
  clientId,
  ...rest
}: Pick<ConfiguredClient, 'clientId' | 'clientSecret' | 'authentication'>): boolean {
  return clientId !== undefined && canAuthenticate(rest)
}

/** Whether a client has a secret, or another way to authenticate. */
export function canAuthenticate({
  clientSecret,
  authentication,
}: Pick<ConfiguredClient, 'clientSecret' | 'authentication'>): boolean {
  return clientSecret !== undefined || authentication !== undefined
}

const parts = Object.keys(tokenPartNames) as TokenPart[]

// Over all parts, so that none is forgotten. Runs for each lookup, so it allocates nothing.
function bringsNothing(request: TokenRequest): boolean {
  for (let index = 0; index < parts.length; index++) {
    if (request[parts[index] as TokenPart] !== undefined) return false
  }
  return true
}

/** Half a client can be intended, when requests bring the other half. If they do not, the usual cause is a misspelt option. */
function missingHalfOf(configured: ConfiguredClient): Hint | undefined {
  const { clientId } = configured
  if ((clientId !== undefined) === canAuthenticate(configured)) return undefined
  return {
    problem: 'half_a_client',
    option: clientId === undefined ? 'client.clientId' : 'client.clientSecret',
  }
}
