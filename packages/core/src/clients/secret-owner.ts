/** The client that a secret belongs to, for the log. */
export interface SecretOwner {
  /** The name of a named client. */
  readonly client: string | undefined
  /** The path of the client's options: `client` or `clients.<name>`. */
  readonly option: string
  /** Whether it is a private key in place of a client secret. Default `false`. */
  readonly isKey?: boolean
}
