/** RSA (PKCS #1 v1.5) and ECDSA (RFC 7518 sections 3.3 and 3.4), which are all that Dex and its signers produce. */
type UsualAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512'

/**
 * An algorithm that the gate can verify: on demand also RSASSA-PSS (RFC 7518 section 3.5), and Ed25519 by its old and its new name
 * (RFC 8037, RFC 9864). Never `none`, never HMAC.
 */
export type JwtAlgorithm = UsualAlgorithm | 'PS256' | 'PS384' | 'PS512' | 'EdDSA' | 'Ed25519'

const usual: readonly UsualAlgorithm[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']

/** The default and the values of the options `algorithms`; the rule `gate.algorithms`. */
export const algorithmsRule: {
  readonly default: readonly JwtAlgorithm[]
  readonly values: readonly JwtAlgorithm[]
} = { default: usual, values: [...usual, 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'] }
