import type { Transport, TransportResponse } from '../../../../src/shared/http/transport.ts'
import type { World } from './world.ts'

/** The life of its tokens, in milliseconds. */
export const lifeMs = 3_600_000
export const issuer = 'https://dex.example'

/** A token that Dex issued. */
export interface Issued {
  /** Its place among all that Dex issued, from 1. */
  readonly number: number
  readonly kid: string
  readonly accessToken: string
  readonly endsAt: number
}

/** A token endpoint whose requests and answers wait until the explorer lets them through. */
export class ScriptedDex {
  readonly #world: World
  readonly issued: Issued[] = []
  requests = 0
  kid = 'first'
  /** Whether it still accepts the client's secret. */
  accepts = true
  hasRejected = false
  readonly #answered: (owner: string, token: Issued) => void

  constructor(world: World, answered: (owner: string, token: Issued) => void) {
    this.#world = world
    this.#answered = answered
  }

  transportOf(owner: string): Transport {
    return (_url, { signal }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        const id = this.#world.nextId(`${owner} request`)
        this.#world.add(`${id} arrives`, ['dex'], () => this.#arrive(id, owner, resolve))
      })
  }

  #arrive(id: string, owner: string, resolve: (response: TransportResponse) => void): void {
    this.requests++
    this.hasRejected ||= !this.accepts
    const token = this.accepts ? this.#issue() : undefined
    if (this.#world.isDead(owner)) return
    this.#world.add(`${id} is answered`, [owner], () => {
      if (token !== undefined) this.#answered(owner, token)
      resolve(
        token === undefined
          ? response(401, { error: 'invalid_client' })
          : response(200, {
              access_token: token.accessToken,
              token_type: 'bearer',
              expires_in: lifeMs / 1000,
            }),
      )
    })
  }

  #issue(): Issued {
    const endsAt = this.#world.clock.wall() + lifeMs
    const number = this.issued.length + 1
    const { kid } = this
    const parts = [{ alg: 'ES256', kid }, { iss: issuer, exp: endsAt / 1000, jti: number }, {}]
    const accessToken = parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const token = { number, kid, accessToken, endsAt }
    this.issued.push(token)
    return token
  }
}

function response(status: number, body: object): TransportResponse {
  const headers = new Map([['content-type', 'application/json']])
  return {
    status,
    headers: { get: name => headers.get(name) ?? null },
    body: (async function* () {
      yield Buffer.from(JSON.stringify(body))
    })(),
  }
}
