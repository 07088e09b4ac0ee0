/** A service account's token to request. */
export interface TokenOrder {
  readonly namespace: string
  readonly name: string
  /** Default: the API server's own audience. */
  readonly audiences?: readonly string[]
}

/** A Kubernetes API server as an issuer of service account tokens. */
export interface ApiServer extends AsyncDisposable {
  /** Its URL, https on 127.0.0.1. */
  readonly url: string
  readonly port: number
  /** The certificate of its CA, PEM. */
  readonly caCert: string
  /** `iss` of its tokens. */
  readonly issuer: string
  /** Requests a token that is valid for an hour; creates namespace and service account when they are missing. */
  requestToken(order: TokenOrder): Promise<string>
}
