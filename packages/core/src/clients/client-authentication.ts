import type { KeyObject } from 'node:crypto'
import type { SecretRequest } from './secret-source.ts'

/** An algorithm that signs assertions (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864). */
export type AssertionAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

/** A private key: PEM (PKCS #8, without a passphrase), a JWK as JSON text, or a `KeyObject`. A secret: do not log it. */
export type AssertionKey = string | KeyObject

/**
 * Returns the private key of a client, such as the content of a file. At most 16,384 characters.
 *
 * Called when a token is first requested, when the server refuses the key, and after `renewSecrets`; the result is remembered. A failure
 * has the same effect as the failure of a {@link SecretSource}.
 */
export type AssertionKeySource = (request: SecretRequest) => AssertionKey | Promise<AssertionKey>

/** The claims of an assertion (RFC 7523 section 3). Times are in seconds since 1970. */
export interface AssertionClaims {
  /** The client id. */
  readonly iss: string
  /** The client id. */
  readonly sub: string
  /** The option `audience`, else its default. */
  readonly aud: string
  /** Now, by the wall clock of the option `clock`. */
  readonly iat: number
  /** 60 seconds after `iat`. */
  readonly exp: number
  /** Random, new for each request. */
  readonly jti: string
}

/** The request to a {@link SignAssertion} for an assertion. */
export interface AssertionRequest {
  /** The client that authenticates. */
  readonly clientId: string
  /** The `aud` of the assertion. */
  readonly audience: string
  /** URL of the token endpoint that receives the assertion. */
  readonly tokenEndpoint: string
  /** Claims that are complete; the function may sign others. */
  readonly claims: AssertionClaims
  /** Aborts after `requestTimeoutMs` and when the broker closes; the result does not count after that. */
  readonly signal: AbortSignal
}

/**
 * Returns a signed assertion: a JWT in compact form, at most 16,384 characters. For keys that never leave a vault or a hardware module.
 *
 * Called for each token request and each retry, because a server accepts a `jti` once; at most 32 calls at a time. After a failure
 * there is no call for a second, and token requests fail with `token_endpoint_unavailable`.
 */
export type SignAssertion = (assertion: AssertionRequest) => string | Promise<string>

/** Authentication by a signed assertion (RFC 7523 section 2.2). */
export interface PrivateKeyJwt {
  /** The name in RFC 7591 and OpenID Connect Core section 9. */
  readonly method: 'private_key_jwt'
  /** The private key, or a function that returns it: RSA of 2,048 to 8,192 bits, EC on P-256, P-384 or P-521, or Ed25519. */
  readonly key: AssertionKey | AssertionKeySource
  /** The `kid` of the assertion. At most 256 characters. Default: `kid` of a JWK, else none. */
  readonly keyId?: string | undefined
  /** The algorithm. Default: `alg` of a JWK, else RS256, ES256, ES384, ES512 or EdDSA by the type of the key. */
  readonly algorithm?: AssertionAlgorithm | undefined
  /** The `aud` of the assertion. At most 1,024 characters. Default: the issuer, else the URL of the token endpoint. */
  readonly audience?: string | undefined
}

/** Authentication by an assertion that a function signs (RFC 7523 section 2.2). */
export interface SignedPrivateKeyJwt {
  /** The name in RFC 7591 and OpenID Connect Core section 9. */
  readonly method: 'private_key_jwt'
  /** Signs each assertion. */
  readonly sign: SignAssertion
  /** The `aud` of the assertion. At most 1,024 characters. Default: the issuer, else the URL of the token endpoint. */
  readonly audience?: string | undefined
}

/**
 * Authentication by the client certificate of the connection (RFC 8705 section 2), which `transport` presents. The broker sends the client
 * id alone, to `mtls_endpoint_aliases.token_endpoint` when the discovery document has it.
 */
export interface MutualTls {
  /** Certificates by a CA, or registered ones; the same on the wire. */
  readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth'
}

/** Authentication by `clientSecret`. */
export interface SecretAuthentication {
  /** The secret in the header, or in the form (RFC 6749 section 2.3.1). */
  readonly method: 'client_secret_basic' | 'client_secret_post'
}

/** How a configured client proves its identity at the token endpoint (names of RFC 7591 and RFC 8705). */
export type ClientAuthentication = PrivateKeyJwt | SignedPrivateKeyJwt | MutualTls | SecretAuthentication

/** A method of client authentication at the token endpoint. */
export type ClientAuthenticationMethod = ClientAuthentication['method']

/** Authentication without a client secret, validated. */
export type SecretlessAuthentication = AssertionSettings | MutualTls

/** Authentication by an assertion, validated. The key, if there is one, takes the place of the client secret. */
export interface AssertionSettings {
  readonly method: 'private_key_jwt'
  /** `undefined` when the key signs. */
  readonly sign: SignAssertion | undefined
  readonly algorithm: AssertionAlgorithm | undefined
  readonly audience: string | undefined
}
