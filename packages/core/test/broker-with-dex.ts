import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { BrokerError } from '../src/shared/errors.ts'
import { TokenBroker } from '../src/token-broker.ts'
import { ManualClock } from './manual-clock.ts'
import { RecordingLogger } from './recording-logger.ts'

export { until } from '@broker/testing'

/** The clients that every look-alike knows unless a test brings its own. */
export const orders = { clientId: 'orders', clientSecret: 'orders-secret' } as const
export const billing = { clientId: 'billing', clientSecret: 'billing-secret' } as const

export interface BrokerWithDex extends AsyncDisposable {
  readonly dex: DevDex
  readonly broker: TokenBroker
  /** Drives the broker and the look-alike. */
  readonly clock: ManualClock
  readonly log: RecordingLogger
}

type Options = Partial<TokenBrokerOptions> | ((dex: DevDex) => Partial<TokenBrokerOptions>)

/** A broker, the look-alike of Dex behind it, and the clock that both live by. */
export async function startBrokerWithDex(
  options: Options = {},
  dexOptions: DevDexOptions = {},
): Promise<BrokerWithDex> {
  const clock = new ManualClock()
  const log = new RecordingLogger()
  const dex = await startDevDex({
    algorithm: 'ES256',
    idTokensMs: 3_600_000,
    now: clock.wall,
    clients: [
      { id: 'orders', secret: 'orders-secret', groups: ['shop'] },
      { id: 'billing', secret: 'billing-secret', trustedPeers: ['orders'] },
    ],
    ...dexOptions,
  })
  const broker = new TokenBroker({
    tokenEndpoint: dex.tokenEndpoint,
    clock,
    logger: log,
    ...(typeof options === 'function' ? options(dex) : options),
  })
  return {
    dex,
    broker,
    clock,
    log,
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
    },
  }
}

/**
 * Resolves when Dex has answered two requests, one after the other, that left after whatever the broker has to send by
 * now: that has arrived and is counted. To be followed by an expectation that Dex got nothing.
 */
export async function caughtUp(dex: DevDex): Promise<void> {
  for (let round = 0; round < 2; round++) {
    // What a promise holds up leaves first.
    await new Promise(resolve => setImmediate(resolve))
    const answer = await fetch(dex.userinfoEndpoint)
    await answer.text()
  }
}

/** The `BrokerError` that a promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<BrokerError> {
  const outcome = await promise.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome && BrokerError.is(outcome.error)) return outcome.error
  throw new Error('expected a BrokerError', { cause: 'error' in outcome ? outcome.error : outcome.value })
}
