import { ClientsMemory } from './clients/clients-memory.ts'
import type { ResolvedOptions } from './options/resolve-options.ts'
import { CarriedParts } from './shared/carried-parts.ts'
import type { LiveSurroundings, Surroundings } from './shared/surroundings.ts'
import { WaitingCallers } from './shared/waiting-callers.ts'
import { AcceptedClients } from './tokens/accepted-clients.ts'
import { TokenCache } from './tokens/cache/token-cache.ts'
import { ClientHistories } from './tokens/client-histories.ts'
import { ExchangeOrigins } from './tokens/exchange/exchange-origins.ts'
import { Origins } from './tokens/origins.ts'
import { SharedOrigins } from './tokens/shared-store/shared-origins.ts'
import { SharedRecords } from './tokens/shared-store/shared-records.ts'
import { TokenMaker } from './tokens/token-maker.ts'
import { Tokens } from './tokens/tokens.ts'

/** A check can wait for discovery, for a key set, for a second one and for a token, each no longer than the timeout. */
const longestWaits = 4

/** The parts that a broker has for its whole life, whatever its options become. */
export interface LastingParts {
  readonly surroundings: LiveSurroundings
  readonly callers: WaitingCallers
  readonly accepted: AcceptedClients
  readonly origins: Origins
  /** The shared store, and what is known about its records. */
  readonly records: SharedRecords
  readonly cache: TokenCache
  readonly tokens: Tokens
  /** Apart from `cache`, so that users evict no token of a client. */
  readonly exchangeCache: TokenCache
  /** The tokens of users. */
  readonly exchangedTokens: Tokens
  readonly memory: ClientsMemory
  readonly histories: ClientHistories
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
  const histories = new ClientHistories(surroundings)
  const maker = tokenMaker(surroundings, options)
  const cache = new TokenCache(options.cacheMaxEntries, clock)
  const exchangeCache = new TokenCache(options.exchangeMaxEntries, clock)
  const records = new SharedRecords(surroundings)
  const sharedOrigins = new SharedOrigins(surroundings, records, origins)
  const exchangeOrigins = new SharedOrigins(surroundings, records, new ExchangeOrigins(surroundings, origins))
  return {
    surroundings,
    callers,
    accepted,
    origins,
    records,
    cache,
    tokens: new Tokens(
      surroundings,
      { origins: sharedOrigins, records, cache, accepted, callers, histories },
      maker,
    ),
    exchangeCache,
    exchangedTokens: new Tokens(
      surroundings,
      { origins: exchangeOrigins, records, cache: exchangeCache, accepted, callers, histories },
      maker,
    ),
    memory: new ClientsMemory(surroundings),
    histories,
    carried: new CarriedParts(clock, () => longestWaits * surroundings.requestTimeoutMs),
  }
}

/** Makes tokens by the options. */
export function tokenMaker(surroundings: Surroundings, options: ResolvedOptions): TokenMaker {
  return new TokenMaker(surroundings, {
    headers: { authorization: options.authorizationHeader, mapped: options.tokenHeaders },
    life: { safetyMarginMs: options.expirySafetyMarginMs, maxAgeMs: options.maxTokenAgeMs },
    refreshAheadRatio: options.refreshAheadRatio,
  })
}
