import type { DevDexOptions } from '@broker/dev-dex'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import type { Transport } from '../../src/shared/http/transport.ts'
import type { IssuedToken } from '../../src/tokens/issued-token.ts'
import { type BrokerWithDex, startBrokerWithDex } from '../broker-with-dex.ts'

export interface ReconfigurableBroker extends BrokerWithDex {
  /** The options that the broker began with. */
  readonly options: TokenBrokerOptions
  /** Reconfigures the broker with these options and the first ones for the others. */
  reconfigure(changes?: Partial<TokenBrokerOptions>): void
}

export async function startReconfigurable(
  optionsOf: (dex: BrokerWithDex['dex']) => Partial<TokenBrokerOptions>,
  dexOptions: DevDexOptions = {},
): Promise<ReconfigurableBroker> {
  const running = await startBrokerWithDex(optionsOf, dexOptions)
  const { broker, dex, clock, log } = running
  const options = { tokenEndpoint: dex.tokenEndpoint, clock, logger: log, ...optionsOf(dex) }
  return { ...running, options, reconfigure: changes => broker.reconfigure({ ...options, ...changes }) }
}

/** A transport that keeps requests from leaving until they are released. */
export class HeldTransport {
  /** The URLs of the requests that wait. */
  readonly held: string[] = []
  #release = Promise.withResolvers<void>()
  #isHolding = false

  readonly transport: Transport = async (url, request) => {
    if (this.#isHolding) {
      this.held.push(url)
      await this.#release.promise
    }
    return fetch(url, request)
  }

  hold(): void {
    this.#isHolding = true
  }

  release(): void {
    this.#isHolding = false
    this.#release.resolve()
    this.#release = Promise.withResolvers()
    this.held.length = 0
  }
}

/** The claims of a token, unverified. */
export function claimsOf({ accessToken }: Pick<IssuedToken, 'accessToken'>): Record<string, unknown> {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
}
