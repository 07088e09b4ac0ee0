export const clientCredentialsGrant = 'client_credentials'
/** Served only when Dex is told which connector checks the passwords. */
export const passwordGrant = 'password'
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Dex's usual grants, plus client_credentials, which Dex has to be told to serve. */
export const defaultGrantTypes: readonly string[] = [
  'authorization_code',
  clientCredentialsGrant,
  passwordGrant,
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  tokenExchangeGrant,
]

/** The wanted grants that Dex knows; it drops all others without a word. */
export function knownGrantTypes(wanted: readonly string[], passwordConnector: string): readonly string[] {
  const known = new Set(defaultGrantTypes)
  if (passwordConnector === '') known.delete(passwordGrant)
  return wanted.filter(grant => known.has(grant))
}
