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
  readonly #waiting: (() => void)[] = []
  #isHolding = false

  readonly transport: Transport = async (url, request) => {
    if (this.#isHolding) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return fetch(url, request)
  }

  /** The number of requests that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  hold(): void {
    this.#isHolding = true
  }

  /** Lets the last request go that waits. */
  releaseLast(): void {
    this.#waiting.pop()?.()
  }

  /** Lets all requests go, the first one first, and later ones at once. */
  release(): void {
    this.#isHolding = false
    for (const go of this.#waiting.splice(0)) go()
  }
}

/** The claims of a token, unverified. */
export function claimsOf({ accessToken }: Pick<IssuedToken, 'accessToken'>): Record<string, unknown> {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
}
