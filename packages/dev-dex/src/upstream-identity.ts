import type { OidcConnector } from './dex-connector.ts'
import type { DexIdentity } from './dex-identity.ts'
import type { VerifiedClaims } from './verify-id-token.ts'

const defaultScopes: readonly string[] = ['profile', 'email']

/** The user that upstream claims are about, or `undefined` when a claim that the connector needs is missing. */
export function identityOfClaims(claims: VerifiedClaims, connector: OidcConnector): DexIdentity | undefined {
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined)
  // Dex needs `sub` even when another claim is the user's id.
  const userID = text('sub') === undefined ? undefined : text(connector.userIDKey ?? 'sub')
  const username = text(connector.userNameKey ?? 'name')
  const wantsEmail = (connector.scopes?.length ? connector.scopes : defaultScopes).includes('email')
  const email = text('email') ?? (wantsEmail ? undefined : '')
  const emailVerified = readEmailVerified(claims, connector, wantsEmail)
  const groups = connector.insecureEnableGroups ? readGroups(claims['groups']) : []
  if (
    userID === undefined ||
    username === undefined ||
    email === undefined ||
    emailVerified === undefined ||
    groups === undefined
  ) {
    return undefined
  }
  const preferredUsername = text('preferred_username') ?? ''
  return { userID, username, preferredUsername, email, emailVerified, groups }
}

function readEmailVerified(
  claims: VerifiedClaims,
  { insecureSkipEmailVerified }: OidcConnector,
  wantsEmail: boolean,
): boolean | undefined {
  const verified = claims['email_verified']
  if (typeof verified === 'boolean') return verified
  if (insecureSkipEmailVerified) return true
  return wantsEmail ? undefined : false
}

/** One text, or a list of texts and of objects with a `name`; `undefined` for a list with anything else. */
function readGroups(claim: unknown): readonly string[] | undefined {
  if (typeof claim === 'string') return [claim]
  if (!Array.isArray(claim)) return []
  const groups: string[] = []
  for (const group of claim) {
    if (typeof group === 'string') groups.push(group)
    else if (typeof group !== 'object' || group === null || Array.isArray(group)) return undefined
    else if (typeof group.name === 'string') groups.push(group.name)
  }
  return groups
}
