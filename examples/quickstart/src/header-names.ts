/** Headers in which the caller gives its credentials: the broker's defaults. */
export const clientIdHeader = 'x-client-id'
export const clientSecretHeader = 'x-client-secret'
export const scopeHeader = 'x-scope'
export const credentialHeaders: readonly string[] = [clientIdHeader, clientSecretHeader, scopeHeader]

/** Header in which the backend gets the ID token, when Dex issued one. */
export const idTokenHeader = 'x-id-token'
