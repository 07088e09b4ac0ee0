import type { SecretRequest, SecretSource } from '../../src/clients/secret-source.ts'

/** The function of a client that reads its secret from a place where a test changes it. */
export class RotatedSecret {
  /** The secret in that place. */
  secret: string
  /** What each call said about the secret that was returned last. */
  readonly calls: boolean[] = []

  constructor(secret: string) {
    this.secret = secret
  }

  readonly source: SecretSource = ({ isRefused }: SecretRequest) => {
    this.calls.push(isRefused)
    return this.secret
  }

  readonly asyncSource: SecretSource = async (request: SecretRequest) => {
    await new Promise(resolve => setImmediate(resolve))
    return this.source(request)
  }
}
