import type { JwtClaims } from './jwt/jwt.ts'

/**
 * The caller that a verified JWT proves. `Claims` is the type of its claims: a type, or an interface that extends `JwtClaims`. It is
 * the assertion of your code about the issuer; nothing validates it.
 */
export interface AuthenticatedCaller<Claims extends JwtClaims = JwtClaims> {
  /** The name of the issuer of the JWT in the option `issuers`; `default` with the option `gate` alone. */
  readonly issuer: string
  /** The claim `sub`; empty when the JWT has none. */
  readonly subject: string
  /**
   * The groups in the issuer's `groupsClaim`, without any of the form `client:<id>`. A machine has the group
   * `client:<client id>` in addition. Frozen.
   */
  readonly groups: readonly string[]
  /** The client id of a machine: the JWT is a client_credentials token of Dex. `undefined` for every other caller. */
  readonly clientId?: string | undefined
  /** The claims of the JWT; frozen, nested values included. The same object for the same JWT. */
  readonly claims: Claims
  /** The JWT, without `Bearer`. A secret: do not log it. */
  readonly token: string
}
