import type { DexIdentity } from './dex-identity.ts'
import type { TokenType } from './token-type.ts'

/** A connector that is ready to tell who a user is; what it cannot do is absent. */
export interface OpenConnector {
  /** Grants that may use it; all by default. */
  readonly grantTypes?: readonly string[] | undefined
  /** The user with this password, or `undefined`. */
  login?(username: string, password: string): DexIdentity | undefined
  /** The user that a subject token is about, or `undefined` when the token is not good. */
  tokenIdentity?(type: TokenType, token: string): Promise<DexIdentity | undefined>
}
