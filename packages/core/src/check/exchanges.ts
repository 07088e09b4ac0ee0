import type { Client } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { ExchangeParts, ExchangeRequest } from '../clients/exchange-request.ts'
import type { TokenOrder } from '../clients/token-order.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { Gate } from '../gate/gate.ts'
import { type JwtClaims, unverifiedClaims } from '../gate/jwt/jwt.ts'
import { subjectOf } from '../gate/jwt/subject-of.ts'
import type { Clock } from '../shared/clock.ts'
import { andThen, type MaybePromise } from '../shared/maybe-promise.ts'
import type { Subject } from '../shared/subject.ts'
import type { Wait } from '../shared/wait-for.ts'

export interface ExchangesOptions {
  readonly clients: Clients
  /** `undefined`: only Dex verifies subject tokens. */
  readonly gate: Gate | undefined
  readonly clock: Clock
}

/** Limit of remembered orders for one JWT; a rule can compute its scope. */
const maxOrdersOfJwt = 8

/** An order of a JWT, with the parts that it was made of. */
interface KnownOrder {
  readonly parts: ExchangeParts
  readonly order: TokenOrder
}

/**
 * Completes token exchanges to orders. Remembers the orders of each verified JWT, because hashing the JWT for each check would cost
 * more than the rest of the check.
 */
export class Exchanges {
  readonly #options: ExchangesOptions
  /** By the claims, which are the same object for the same JWT, and which the gate forgets with it. */
  readonly #ordersOf = new WeakMap<JwtClaims, KnownOrder[]>()

  constructor(options: ExchangesOptions) {
    this.#options = options
  }

  /**
   * Returns the order of an exchange after its subject token is verified: by the gate, which also judges the audience. Without a
   * gate Dex verifies it. Fails like the gate, with `invalid_token` without `exp`, `iss` or `sub`, and like `ofCaller`.
   */
  order({ subjectToken, ...parts }: ExchangeRequest, wait: Wait): MaybePromise<TokenOrder> {
    const { gate, clock } = this.#options
    if (gate !== undefined) {
      return andThen(gate.verify(subjectToken, wait), caller => this.ofCaller(caller, parts))
    }
    const client = this.#clientOf(parts)
    return orderOf(client, subjectOf(subjectToken, unverifiedClaims(subjectToken), clock.wall()), parts)
  }

  /**
   * Returns the order of an exchange of a caller's verified JWT. Throws `invalid_token` for a JWT that cannot be a subject token,
   * `TypeError` for a client that does not exist, and like `order` of a client.
   */
  ofCaller(caller: AuthenticatedCaller, parts: ExchangeParts): TokenOrder {
    const known = this.#ordersOf.get(caller.claims)
    const order = known && orderIn(known, caller, parts)
    return order ?? this.#remember(caller, parts, known)
  }

  #remember(caller: AuthenticatedCaller, parts: ExchangeParts, known: KnownOrder[] = []): TokenOrder {
    const { gate, clock } = this.#options
    const client = this.#clientOf(parts)
    const { token, claims } = caller
    const subject = gate?.subjectOf(caller, clock.wall()) ?? subjectOf(token, claims, clock.wall())
    const order = orderOf(client, subject, parts)
    if (known.length >= maxOrdersOfJwt) known.length = 0
    known.push({ parts: { ...parts, audiences: parts.audiences && [...parts.audiences] }, order })
    this.#ordersOf.set(claims, known)
    return order
  }

  #clientOf({ client = 'default' }: ExchangeParts): Client {
    return this.#options.clients.known(client)
  }
}

function orderOf(client: Client, subject: Subject, parts: ExchangeParts): TokenOrder {
  const { connectorId, subjectTokenType = 'id_token' } = parts
  return client.exchangeOrder({ subject, subjectTokenType, connectorId }, parts)
}

// Without closures, because it runs for each check.
function orderIn(
  known: readonly KnownOrder[],
  { token }: AuthenticatedCaller,
  parts: ExchangeParts,
): TokenOrder | undefined {
  for (const { parts: own, order } of known) {
    if (
      own.connectorId === parts.connectorId &&
      own.client === parts.client &&
      own.scope === parts.scope &&
      own.subjectTokenType === parts.subjectTokenType &&
      isSameList(own.audiences, parts.audiences) &&
      order.credentials.exchange?.subject.token === token
    ) {
      return order
    }
  }
  return undefined
}

function isSameList(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}
