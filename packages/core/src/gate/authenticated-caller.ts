import type { JwtClaims } from './jwt/jwt.ts'

/** The caller that a verified JWT proves. */
export interface AuthenticatedCaller {
  /** The claims of the JWT; frozen, nested values included. */
  readonly claims: JwtClaims
  /** The JWT, without `Bearer`. A secret: do not log it. */
  readonly token: string
}
