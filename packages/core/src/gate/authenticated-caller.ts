import type { JwtClaims } from './jwt/jwt.ts'

/** Who a JWT says is calling. */
export interface AuthenticatedCaller {
  readonly claims: JwtClaims
  /** The JWT itself. */
  readonly token: string
}
