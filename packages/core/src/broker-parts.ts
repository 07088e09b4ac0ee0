import { Check } from './check/check.ts'
import { namesOf } from './check/credential-headers.ts'
import { Exchanges } from './check/exchanges.ts'
import { Clients, type ClientsIssuer } from './clients/clients.ts'
import { CallersIssuers } from './gate/callers-issuers.ts'
import { Gate } from './gate/gate.ts'
import { JwtVerifier } from './gate/jwt/jwt-verifier.ts'
import { VerifiedJwts } from './gate/jwt/verified-jwts.ts'
import { JwtRefusals } from './gate/jwt-refusals.ts'
import { ownDexName } from './issuer/issuer.ts'
import { Issuers } from './issuer/issuers.ts'
import type { LastingParts } from './lasting-parts.ts'
import type { ResolvedGate } from './options/resolve-gate.ts'
import type { ResolvedOptions } from './options/resolve-options.ts'
import type { NextParts } from './shared/carried-parts.ts'
import { startCacheCleanup } from './tokens/cache/start-cache-cleanup.ts'
import { carriedSharedStore } from './tokens/shared-store/carried-shared-store.ts'

/** The names of headers, in lower case. */
export interface HeaderNames {
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly string[]
  readonly credentialHeaders: readonly string[]
}

/** The parts of a broker that belong to one set of options. */
export interface BrokerParts {
  readonly headers: HeaderNames
  readonly issuers: Issuers
  readonly clients: Clients
  readonly gate: Gate | undefined
  readonly exchanges: Exchanges
  readonly check: Check
}

/** Makes the parts for a set of options, from parts of `next` where these are carried over. If it fails, `next` is discarded. */
export function brokerParts(options: ResolvedOptions, lasting: LastingParts, next: NextParts): BrokerParts {
  try {
    return partsOf(options, lasting, next)
  } catch (error) {
    next.discard()
    throw error
  }
}

function partsOf(options: ResolvedOptions, lasting: LastingParts, next: NextParts): BrokerParts {
  const { surroundings, tokens, cache, exchangedTokens, exchangeCache } = lasting
  const { authorizationHeader, tokenHeaders, credentialHeaders, stripCredentialHeaders } = options
  const issuers = new Issuers(options, { ...lasting, parts: next })
  const gate = options.gate && gateOf(options, options.gate, { issuers, lasting, next })
  issuers.watchSigningKeys(options.issuer, tokens)
  issuers.watchSigningKeys(options.issuer, exchangedTokens, 'exchanged ')
  for (const [name, cleaned] of [
    ['', cache],
    ['exchanged', exchangeCache],
  ] as const) {
    const { cacheCleanupIntervalMs } = options
    next.take('cache cleanup', name, [cacheCleanupIntervalMs], () => {
      return { retire: startCacheCleanup(cleaned, cacheCleanupIntervalMs) }
    })
  }
  carriedSharedStore(next, lasting, options.sharedStore)
  // After everything else: the memory of the clients replaces their secrets now.
  const clients = clientsOf(options, issuers, { lasting, next })
  const exchanges = new Exchanges({ clients, gate, clock: surroundings.clock })
  const check = new Check(surroundings, {
    names: credentialHeaders,
    gate,
    clients,
    choice: options.choice,
    tokens,
    exchanges,
    exchangedTokens,
    authorizationHeader,
    tokenHeaders,
    stripCredentialHeaders,
    realm: options.realm,
  })
  return { headers: headerNames(options), issuers, clients, gate, exchanges, check }
}

function headerNames(options: ResolvedOptions): HeaderNames {
  const { authorizationHeader, tokenHeaders, credentialHeaders, stripCredentialHeaders } = options
  return {
    authorizationHeader,
    tokenHeaders: Object.freeze([authorizationHeader, ...tokenHeaders.map(({ header }) => header)]),
    credentialHeaders: Object.freeze(stripCredentialHeaders ? [...namesOf(credentialHeaders)] : []),
  }
}

function clientsOf(
  options: ResolvedOptions,
  issuers: Issuers,
  { lasting, next }: { lasting: LastingParts; next: NextParts },
): Clients {
  const { clientAuthMethod, client, clients } = options
  const { memory, origins } = lasting
  const own = { name: ownDexName, endpoint: endpointOf(options) }
  const withOrigin = (issuer: ClientsIssuer): ClientsIssuer => {
    origins.add(issuer, issuers.originOf(issuer.name, issuer.authMethod))
    return issuer
  }
  next.note('client', 'default', [client, clientAuthMethod, own])
  return new Clients({
    issuer: withOrigin({ ...own, authMethod: clientAuthMethod }),
    client: {
      configured: client,
      issuer: withOrigin({ ...own, authMethod: client.method ?? clientAuthMethod }),
    },
    named: clients.map(({ name, configured, authMethod, dex }) => {
      const { name: dexName, endpoint } =
        dex === undefined ? own : { name: dex.name, endpoint: endpointOf(dex) }
      const issuer = { name: dexName, endpoint, authMethod }
      next.note('client', name, [configured, issuer])
      return { name, configured, issuer: withOrigin(issuer) }
    }),
    memory,
  })
}

/**
 * Identifies a token endpoint in cache keys: its URL, or what discovers it. A token of one is never served for another, also
 * when an issuer of the same name now has other URLs.
 */
function endpointOf(issuer: {
  readonly tokenEndpoint: string | undefined
  readonly discoveryUrl?: string | undefined
  readonly issuer: string | undefined
}): string {
  return issuer.tokenEndpoint ?? JSON.stringify([issuer.discoveryUrl, issuer.issuer])
}

function gateOf(
  options: ResolvedOptions,
  gate: ResolvedGate,
  { issuers, lasting, next }: { issuers: Issuers; lasting: LastingParts; next: NextParts },
): Gate {
  const { surroundings, callers } = lasting
  const { clock } = surroundings
  const { verifiedJwtsMaxEntries, requiredGroups: groups, requiredScopes: scopes } = gate
  const ofCallers = next.take('issuers of callers', '', issuers.ofCallers, () => {
    return new CallersIssuers(surroundings, issuers.ofCallers, callers)
  })
  const required = { groups, scopes }
  // A remembered JWT was judged by all of these.
  const verified = next.take('verified JWTs', '', [ofCallers, required, verifiedJwtsMaxEntries], () => {
    return new VerifiedJwts(verifiedJwtsMaxEntries, clock)
  })
  return new Gate(
    new JwtVerifier({ issuers: ofCallers, required, verified, clock }),
    new JwtRefusals(surroundings, {
      issuers: ofCallers,
      issuerOption: gate.issuerOption,
      header: options.credentialHeaders.jwt,
    }),
  )
}
