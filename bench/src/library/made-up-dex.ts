import { randomBytes } from 'node:crypto'
import type { Transport } from '@broker/core'

const hourS = 3600

/** A Dex inside this process: it answers at once, with tokens as long as Dex's that nobody could verify. */
export class MadeUpDex {
  /** Characters of all tokens that were issued. */
  issuedCharacters = 0
  #issued = 0
  readonly #jwks: string

  constructor(jwks = '{"keys":[]}') {
    this.#jwks = jwks
  }

  readonly transport: Transport = async url => {
    const body = Buffer.from(url.endsWith('/keys') ? this.#jwks : this.#tokenResponse())
    return {
      status: 200,
      headers: { get: () => null },
      body: (async function* () {
        yield body
      })(),
    }
  }

  #tokenResponse(): string {
    const index = this.#issued++
    // Lifetimes in no order, so that the cache has to find the token that expires soonest.
    const lifeS = hourS + ((index * 7919) % (23 * hourS))
    const claims = {
      iss: 'http://127.0.0.1:5556/dex',
      sub: 'Cg9jbGllbnQtMDAwMDAwMDASAA',
      aud: `client-${index}`,
      exp: 1_800_000_000 + lifeS,
      iat: 1_800_000_000,
      jti: randomBytes(16).toString('hex'),
      at_hash: randomBytes(16).toString('base64url'),
      groups: ['orders'],
    }
    const head = { alg: 'RS256', kid: '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c' }
    const token = [JSON.stringify(head), JSON.stringify(claims), randomBytes(256)]
      .map(part => Buffer.from(part).toString('base64url'))
      .join('.')
    this.issuedCharacters += token.length
    return JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: lifeS })
  }
}

/** Any URL does; the made-up Dex serves keys at every path that ends in `/keys`. */
export const madeUpUrls = {
  tokenEndpoint: 'http://127.0.0.1:5556/dex/token',
  jwksUri: 'http://127.0.0.1:5556/dex/keys',
}
