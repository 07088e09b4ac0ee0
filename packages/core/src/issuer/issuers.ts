import type { CallersIssuer } from '../gate/callers-issuer.ts'
import type { ResolvedOptions } from '../options/resolve-options.ts'
import type { NextParts } from '../shared/carried-parts.ts'
import { isMutualTls } from '../shared/is-mutual-tls.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { IssuerStatus } from '../status/issuer-status.ts'
import type { AcceptedClients } from '../tokens/accepted-clients.ts'
import type { DexOrigin } from '../tokens/dex/dex-origin.ts'
import { RejectedCredentials } from '../tokens/dex/rejected-credentials.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { type Issuer, type Missing, ownDexName } from './issuer.ts'
import { type IssuerOfCallers, issuerOfCallers } from './issuer-of-callers.ts'
import { type OwnDex, ownDexOf } from './own-dex.ts'
import { watchSigningKeys } from './watch-signing-keys.ts'

export interface IssuersContext {
  readonly surroundings: Surroundings
  readonly callers: WaitingCallers
  readonly accepted: AcceptedClients
  readonly parts: NextParts
}

/** The issuers of a broker: its own Dex, and the issuers of callers' JWTs, of which some are Dexes of clients. */
export class Issuers {
  readonly #context: IssuersContext
  readonly #ownDex: OwnDex
  readonly #ofCallers: readonly IssuerOfCallers[]

  constructor(options: ResolvedOptions, context: IssuersContext) {
    const { surroundings, callers, accepted, parts } = context
    const { clientAuthMethod: authMethod, maxConnections, negativeCacheTtlMs, gate } = options
    const rejected = parts.take('rejections', '', [negativeCacheTtlMs], () => {
      return new RejectedCredentials(negativeCacheTtlMs, surroundings.clock)
    })
    const wantedFields = options.tokenHeaders.map(({ field }) => field)
    const defaults = { authMethod, wantedFields, rejected, accepted, maxConnections }
    const mtlsIssuers = mtlsIssuersOf(options)
    const shared = { surroundings, callers, parts, defaults, mtlsIssuers }
    const { allowInsecureUrls } = options
    const usualTransport = options.surroundings.transport
    const ownDex = ownDexOf(options, shared)
    this.#context = context
    this.#ownDex = ownDex
    this.#ofCallers =
      gate?.issuers.map(issuer =>
        issuerOfCallers(issuer, { ...shared, gate, ownDex, allowInsecureUrls, usualTransport }),
      ) ?? []
  }

  /** The issuers that the gate accepts; empty without a gate. */
  get ofCallers(): readonly CallersIssuer[] {
    return this.#ofCallers.map(({ ofCallers }) => ofCallers)
  }

  /** Returns the origin of the tokens of an issuer, by its name, for clients that authenticate by a method. */
  originOf(name: string, method?: string): DexOrigin {
    const named = this.#ofCallers.find(issuer => issuer.name === name)
    const { origin, mtlsOrigin } = named?.origin === undefined ? this.#ownDex : named
    return (isMutualTls(method) ? mtlsOrigin : undefined) ?? origin ?? this.#ownDex.origin
  }

  /** Returns the parts that are not loaded yet, and starts to load them. */
  missing(): readonly Missing[] {
    return [...new Set(this.#all.flatMap(issuer => issuer.missing()))]
  }

  status(): readonly IssuerStatus[] {
    return this.#all.map(issuer => issuer.status())
  }

  /** Tells whether a URL is an endpoint of one of them. */
  includes(url: URL): boolean {
    return this.#all.some(({ endpoints }) => endpoints.includes(url))
  }

  /** Drops the dead tokens of each Dex by its own key set. `kind` tells several kinds of tokens apart, as in `exchanged `. */
  watchSigningKeys(ownIssuer: string | undefined, tokens: Tokens, kind = ''): void {
    watchSigningKeys(ownIssuer, {
      ...this.#context,
      ownDex: this.#ownDex,
      ofCallers: this.#ofCallers,
      tokens,
      kind,
    })
  }

  get #all(): readonly Issuer[] {
    return [this.#ownDex, ...this.#ofCallers]
  }
}

function mtlsIssuersOf({ client, clients }: ResolvedOptions): ReadonlySet<string> {
  const names = clients.flatMap(({ authMethod, dex }) =>
    isMutualTls(authMethod) ? [dex?.name ?? ownDexName] : [],
  )
  return new Set(isMutualTls(client.method) ? [...names, ownDexName] : names)
}
