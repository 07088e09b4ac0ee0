/** The reason why the gate refused a JWT or its caller. A closed set, so that it can label a metric. */
export type JwtRefusalReason =
  /** The request has no JWT. */
  | 'missing'
  /** It is not a compact JWS of at most 16 KiB whose parts are JSON objects. */
  | 'malformed'
  /** Its `alg` is not one that its issuer may use. */
  | 'algorithm'
  /** It has a critical header, or is another kind of JWT, such as a logout token. */
  | 'unsupported'
  /** Its `iss` is not an expected issuer. */
  | 'issuer'
  /** Its `aud` contains no expected audience. */
  | 'audience'
  /** Its `exp` is in the past. */
  | 'expired'
  /** Its `nbf` is in the future. */
  | 'not_yet_valid'
  /** Its `exp` is missing, `exp` or `nbf` is not a number, or its claims are nested too deeply. */
  | 'claims'
  /** The key set has no key for it; without a `kid`, also when several keys fit. */
  | 'unknown_key'
  /** The key set has its key, and that key cannot verify it. */
  | 'unusable_key'
  /** Its signature does not match. */
  | 'signature'
  /** It is valid, and its caller lacks a required group. */
  | 'group'
  /** It is valid and lacks a required scope. */
  | 'scope'
