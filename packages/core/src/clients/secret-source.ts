/** The request to a {@link SecretSource} for a client secret. */
export interface SecretRequest {
  /** Aborts after `requestTimeoutMs` and when the broker closes; the result does not count after that. */
  readonly signal: AbortSignal
  /** Whether Dex has just refused the secret that the function returned last, so that a cached one is of no use. */
  readonly isRefused: boolean
}

/**
 * Returns a client secret, such as the content of a file or the answer of a vault. At most 4,096 characters.
 *
 * Called when a token is first requested, when Dex refuses the secret, and after `renewSecrets`; the result is remembered.
 * Concurrent token requests share one call. After a failure the next call comes a second later at the earliest. Meanwhile the last
 * known secret stays in use; without one, token requests fail with `token_endpoint_unavailable`.
 */
export type SecretSource = (request: SecretRequest) => string | Promise<string>
