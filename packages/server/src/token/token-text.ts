import type { IssuedToken } from '@broker/core'
import { execCredential, execCredentialVersion } from './exec-credential.ts'
import type { tokenFormats } from './token-command.ts'

export type TokenFormat = (typeof tokenFormats)[number]

/**
 * A function that writes a token in a form, with one line break at the end. Throws `WrongArguments` before there is a token when kubectl asks for a form
 * that does not exist.
 */
export function tokenWriter(
  format: TokenFormat,
  { KUBERNETES_EXEC_INFO: execInfo }: NodeJS.ProcessEnv,
): (token: IssuedToken) => string {
  switch (format) {
    case 'token':
      return ({ accessToken }) => `${accessToken}\n`
    case 'header':
      return ({ tokenType, accessToken }) => `Authorization: ${tokenType} ${accessToken}\n`
    case 'json':
      return token => `${JSON.stringify(tokenResponse(token), undefined, 2)}\n`
    case 'kubectl': {
      const version = execCredentialVersion(execInfo)
      return token => `${JSON.stringify(execCredential(version, token), undefined, 2)}\n`
    }
  }
}

/** With the names of RFC 6749 section 5.1, and the moment of the expiry like `exp`: both in whole seconds, and never too long. */
function tokenResponse({ accessToken, tokenType, expiresAt }: IssuedToken) {
  return {
    access_token: accessToken,
    token_type: tokenType,
    expires_in: Math.max(0, Math.floor((expiresAt - Date.now()) / 1_000)),
    expires_at: Math.floor(expiresAt / 1_000),
  }
}
