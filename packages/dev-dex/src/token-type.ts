/** The two kinds of token that Dex exchanges, as RFC 8693 section 3 names them. */
export type TokenType = typeof idTokenType | typeof accessTokenType

export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** Whether a text names one of the two kinds. */
export function isTokenType(text: string): text is TokenType {
  return text === idTokenType || text === accessTokenType
}
