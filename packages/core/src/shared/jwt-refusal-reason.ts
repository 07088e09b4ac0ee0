/** Why the gate refused a JWT: a closed set, fit for the label of a metric. */
export type JwtRefusalReason =
  /** The request has no JWT. */
  | 'missing'
  /** Not a compact JWS of at most 16 KiB with JSON objects in it. */
  | 'malformed'
  /** Signed by an algorithm that is not accepted. */
  | 'algorithm'
  /** A critical header, or a JWT of another kind, such as a logout token. */
  | 'unsupported'
  /** `iss` is not the expected one. */
  | 'issuer'
  /** `aud` has none of the expected ones. */
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  /** `exp` or `nbf` is missing or not a number, or the claims are nested too deep. */
  | 'claims'
  /** The key set has no key, or more than one, for it. */
  | 'unknown_key'
  /** The key set has its key, but that key cannot verify it. */
  | 'unusable_key'
  /** Its key did not make the signature. */
  | 'signature'
