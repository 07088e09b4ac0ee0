import type { DexIdentity } from './dex-identity.ts'

/** Claims of a user, named as in Dex's `staticPasswords`. */
export interface DexUserClaims {
  /** The user's part of the `sub` claim. */
  readonly userID: string
  /** `email` in the `email` scope. */
  readonly email?: string
  /** `email_verified` in the `email` scope; default true. */
  readonly emailVerified?: boolean
  /** `name` in the `profile` scope, unless `name` is set; never a login. */
  readonly username?: string
  /** `name` in the `profile` scope; overrides `username`. */
  readonly name?: string
  /** `preferred_username` in the `profile` scope; absent by default. */
  readonly preferredUsername?: string
  /** `groups` in the `groups` scope. */
  readonly groups?: readonly string[]
}

/** A static user of the connector `local`, as Dex's `staticPasswords` has it. */
export interface DexUser extends DexUserClaims {
  /** The login, in any letter case. */
  readonly email: string
  /** The password itself; a real Dex gets a bcrypt hash of it. */
  readonly password: string
}

/** Users by email in lower case; throws for a user who could never log in. */
export function indexDexUsers(users: readonly DexUser[]): ReadonlyMap<string, DexUser> {
  const byEmail = new Map<string, DexUser>()
  for (const user of users) {
    const email = user.email.toLowerCase()
    if (email === '') throw new TypeError('users: a user needs an email')
    if (byEmail.has(email)) throw new TypeError(`users: the email "${email}" appears twice`)
    if (user.password === '') throw new TypeError(`users: "${email}" needs a password`)
    byEmail.set(email, user)
  }
  return byEmail
}

/** The identity that Dex makes of a static user. */
export function identityOfUser(user: DexUserClaims): DexIdentity {
  return {
    userID: user.userID,
    username: user.name || user.username || '',
    preferredUsername: user.preferredUsername ?? '',
    email: user.email ?? '',
    emailVerified: user.emailVerified ?? true,
    groups: user.groups ?? [],
  }
}
