import * as crypto from 'node:crypto'
import type { ResolvedOptions } from './options/resolve-options.ts'
import { CarriedParts } from './shared/carried-parts.ts'
import type { LiveSurroundings } from './shared/surroundings.ts'
import { WaitingCallers } from './shared/waiting-callers.ts'
import { AcceptedClients } from './tokens/accepted-clients.ts'
import { TokenCache } from './tokens/cache/token-cache.ts'
import { Origins } from './tokens/origins.ts'
import { Tokens, type TokensSettings } from './tokens/tokens.ts'

/** A check can wait for discovery, for a key set, for a second one and for a token, each no longer than the timeout. */
const longestWaits = 4

/** The parts that a broker has for its whole life, whatever its options become. */
export interface LastingParts {
  readonly surroundings: LiveSurroundings
  readonly callers: WaitingCallers
  readonly accepted: AcceptedClients
  readonly origins: Origins
  readonly cache: TokenCache
  readonly tokens: Tokens
  /** The salt of cache keys. */
  readonly salt: Buffer
  /** The parts with a state that depends on options. */
  readonly carried: CarriedParts
}

/** Makes the lasting parts of a broker. */
export function lastingParts(options: ResolvedOptions): LastingParts {
  const { surroundings } = options
  const { clock } = surroundings
  const callers = new WaitingCallers(options.maxWaitingCallers)
  const accepted = new AcceptedClients()
  const origins = new Origins()
  const cache = new TokenCache(options.cacheMaxEntries, clock)
  return {
    surroundings,
    callers,
    accepted,
    origins,
    cache,
    tokens: new Tokens(surroundings, { origins, cache, accepted, callers }, tokensSettings(options)),
    salt: crypto.randomBytes(16),
    carried: new CarriedParts(clock, () => longestWaits * surroundings.requestTimeoutMs),
  }
}

/** The settings of tokens that the options contain. */
export function tokensSettings(options: ResolvedOptions): TokensSettings {
  return {
    headers: { authorization: options.authorizationHeader, mapped: options.tokenHeaders },
    life: { safetyMarginMs: options.expirySafetyMarginMs, maxAgeMs: options.maxTokenAgeMs },
    refreshAheadRatio: options.refreshAheadRatio,
  }
}
