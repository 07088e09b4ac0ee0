import type { BrokerParts } from '../broker-parts.ts'
import type { Client } from '../clients/client.ts'
import type { LastingParts } from '../lasting-parts.ts'
import type { TokenCache } from '../tokens/cache/token-cache.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { BrokerStatus } from './broker-status.ts'
import type { CacheStatus } from './cache-status.ts'
import type { ClientStatus } from './client-status.ts'

type StatusParts = Pick<BrokerParts, 'issuers' | 'clients' | 'gate'>

/** Puts together what the parts of a broker tell about themselves. Its cost grows with the configuration, and not with the load. */
export function brokerStatusOf(lasting: LastingParts, parts: StatusParts): BrokerStatus {
  const { surroundings, callers, cache, tokens, exchangeCache, exchangedTokens } = lasting
  return {
    at: surroundings.clock.wall(),
    issuers: parts.issuers.status(),
    clients: parts.clients.configured.map(client => clientStatus(client, lasting, parts)),
    caches: {
      tokens: cacheStatus(cache, tokens),
      exchangedTokens: cacheStatus(exchangeCache, exchangedTokens),
      verifiedJwts: parts.gate?.verified.status(),
    },
    work: {
      tokensInFlight: tokens.inFlight + exchangedTokens.inFlight,
      waitingCallers: callers.count,
      maxWaitingCallers: callers.max,
    },
    sharedStore: lasting.records.current?.store.status(),
  }
}

function clientStatus(client: Client, lasting: LastingParts, { issuers }: StatusParts): ClientStatus {
  const { name, configured, issuer, ownOrder: order } = client
  return {
    name,
    clientId: configured.clientId ?? '',
    issuer: issuer.name,
    scope: order?.credentials.scope,
    token: order && lasting.cache.statusOf(order.key),
    circuit: order && issuers.originOf(issuer.name, order.credentials.authMethod).circuitOf(order),
    ...lasting.histories.status(name),
  }
}

function cacheStatus(cache: TokenCache, tokens: Tokens): CacheStatus {
  const { size: entries, maxEntries, owners, evictions } = cache
  return { entries, maxEntries, owners, evictions, ...tokens.lookups }
}
