/** The one grant that the look-alike serves. */
export const clientCredentialsGrant = 'client_credentials'

/** Dex's usual grants, plus client_credentials, which Dex has to be told to serve. */
export const defaultGrantTypes: readonly string[] = [
  'authorization_code',
  clientCredentialsGrant,
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
]
