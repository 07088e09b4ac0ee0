/** The user or client that a token is about. An empty text or list leaves its claim out. */
export interface DexIdentity {
  readonly userID: string
  /** The `name` claim. */
  readonly username: string
  readonly preferredUsername: string
  readonly email: string
  readonly emailVerified: boolean
  readonly groups: readonly string[]
}
