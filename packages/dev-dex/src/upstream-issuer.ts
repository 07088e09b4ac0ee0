import type { JWK } from 'jose'
import {
  isSignedWith,
  parseObject,
  readGoodClaims,
  type VerificationKey,
  type VerifiedClaims,
  verifySignature,
} from './verify-id-token.ts'

/** The parts of a Dex that its upstream issuers use. */
export interface UpstreamSurroundings {
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number
  /** Ends requests that are under way. */
  readonly signal: AbortSignal
}

/** The algorithms that go-oidc accepts from discovery. */
const knownAlgorithms = new Set('RS256 RS384 RS512 ES256 ES384 ES512 PS256 PS384 PS512 EdDSA'.split(' '))

/** Values that go-oidc takes for a boolean. */
const booleans: readonly unknown[] = [true, false, 'true', 'false']

/** Another OpenID provider, trusted as go-oidc trusts one: discovered once, its keys fetched when they are missing. */
export class UpstreamIssuer {
  readonly #issuer: string
  readonly #document: VerifiedClaims
  readonly #surroundings: UpstreamSurroundings
  readonly #algorithms: readonly string[]
  #keys: readonly VerificationKey[] = []

  private constructor(issuer: string, document: VerifiedClaims, surroundings: UpstreamSurroundings) {
    this.#issuer = issuer
    this.#document = document
    this.#surroundings = surroundings
    const advertised = [document['id_token_signing_alg_values_supported'] ?? []].flat() as string[]
    const algorithms = advertised.filter(algorithm => knownAlgorithms.has(algorithm))
    this.#algorithms = algorithms.length > 0 ? algorithms : ['RS256']
  }

  /** Reads the discovery document; rejects when there is none or when it has another issuer. */
  static async discover(issuer: string, surroundings: UpstreamSurroundings): Promise<UpstreamIssuer> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = await fetchObject(url, surroundings.signal)
    if (document['issuer'] !== issuer) {
      throw new Error(`${url} has the issuer "${document['issuer']}" instead of "${issuer}"`)
    }
    return new UpstreamIssuer(issuer, document, surroundings)
  }

  /** The claims of an ID token, or `undefined` when its signature, issuer or times are wrong. */
  async verifyIdToken(token: string): Promise<VerifiedClaims | undefined> {
    // Junk causes no request for keys.
    if (!isSignedWith(this.#algorithms, token)) return undefined
    const payload = (await this.#verifySignature(token)) ?? (await this.#verifyWithNewKeys(token))
    return payload === undefined ? undefined : readGoodClaims(payload, this.#issuer, this.#surroundings.now())
  }

  /** The claims of the userinfo endpoint; rejects when it does not accept the token. */
  async userinfo(token: string): Promise<VerifiedClaims> {
    const claims = await fetchObject(String(this.#document['userinfo_endpoint']), this.#surroundings.signal, {
      authorization: `Bearer ${token}`,
    })
    if ('email_verified' in claims && !booleans.includes(claims['email_verified'])) {
      throw new Error('email_verified is not a boolean')
    }
    return claims
  }

  #verifySignature(token: string): Promise<string | undefined> {
    return verifySignature(token, this.#keys, this.#algorithms)
  }

  async #verifyWithNewKeys(token: string): Promise<string | undefined> {
    const { keys } = await fetchObject(String(this.#document['jwks_uri']), this.#surroundings.signal)
    this.#keys = (keys as JWK[]).map(key => ({ kid: key.kid, key }))
    return this.#verifySignature(token)
  }
}

async function fetchObject(
  url: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<VerifiedClaims> {
  const response = await fetch(url, { headers, signal })
  const body = await response.text()
  const value = response.status === 200 ? parseObject(body) : undefined
  if (value === undefined) throw new Error(`${url} answered ${response.status} without a JSON object`)
  return value
}
