import type { CheckHeaders } from '../faults/checks.ts'
import { type CallersIssuer, callersAudience } from '../harness/callers-issuer.ts'

/** Somebody who sends requests. */
export type Caller =
  /** Gets the token of a configured client. */
  | 'reports'
  | 'billing'
  /** A user whose JWT is exchanged. */
  | 'user'
  /** A user whose JWT Dex does not exchange. */
  | 'user without email'
  /** Brings the credentials of a client. */
  | 'own client'
  | 'own client without credentials'
  | 'own client with a wrong secret'
  | 'wrong audience'
  | 'no JWT'

/** Ids of clients that bring their credentials; more than the cache of the broker has room for. */
export const ownClients: readonly { id: string; secret: string }[] = Array.from(
  { length: 30 },
  (_, index) => ({
    id: `own-${index}`,
    secret: `own-secret-${index}`,
  }),
)

/** The headers of requests, for callers of one issuer. */
export class Callers {
  readonly #jwts = new Map<string, string>()
  readonly #issuer: CallersIssuer

  constructor(issuer: CallersIssuer) {
    this.#issuer = issuer
  }

  /** The headers of a request. `index` chooses among clients and users. */
  headersOf(caller: Caller, index: number): CheckHeaders {
    const { id, secret } = ownClients[index % ownClients.length] as (typeof ownClients)[0]
    switch (caller) {
      case 'reports':
      case 'billing':
        return this.#bearer(caller)
      case 'user':
        return this.#bearer(`user-${index % 5}`, {
          email: 'ada@example.com',
          email_verified: true,
          name: 'Ada',
        })
      case 'user without email':
        return this.#bearer(`user-without-${index % 50}`)
      case 'own client':
        return { ...this.#bearer('own'), 'x-client-id': id, 'x-client-secret': secret }
      case 'own client without credentials':
        return this.#bearer('own')
      case 'own client with a wrong secret':
        return { ...this.#bearer('own'), 'x-client-id': id, 'x-client-secret': 'wrong' }
      case 'wrong audience':
        return this.#bearer('outsider', { aud: `not-${callersAudience}` })
      case 'no JWT':
        return {}
    }
  }

  /** A JWT is signed once, as callers keep theirs. */
  #bearer(sub: string, claims: object = {}): CheckHeaders {
    const jwt = this.#jwts.get(sub) ?? this.#issuer.jwt({ sub, ...claims })
    this.#jwts.set(sub, jwt)
    return { authorization: `Bearer ${jwt}` }
  }
}
