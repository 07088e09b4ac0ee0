import type { CallersIssuer } from '../gate/callers-issuer.ts'
import type { ResolvedOptions } from '../options/resolve-options.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { AcceptedClients } from '../tokens/accepted-clients.ts'
import { RejectedCredentials } from '../tokens/dex/rejected-credentials.ts'
import type { TokenOrigin } from '../tokens/token-origin.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { Issuer, Missing } from './issuer.ts'
import { type IssuerOfCallers, issuerOfCallers } from './issuer-of-callers.ts'
import { type OwnDex, ownDexOf } from './own-dex.ts'
import { watchSigningKeys } from './watch-signing-keys.ts'

/** The issuers of a broker: its own Dex, and the issuers of callers' JWTs, of which some are Dexes of clients. */
export class Issuers {
  readonly #options: ResolvedOptions
  readonly #ownDex: OwnDex
  readonly #ofCallers: readonly IssuerOfCallers[]

  constructor(
    options: ResolvedOptions,
    { callers, accepted }: { readonly callers: WaitingCallers; readonly accepted: AcceptedClients },
  ) {
    const { surroundings, clientAuthMethod: authMethod, maxConnections, allowInsecureUrls, gate } = options
    const defaults = {
      authMethod,
      wantedFields: options.tokenHeaders.map(({ field }) => field),
      rejected: new RejectedCredentials(options.negativeCacheTtlMs, surroundings.clock),
      accepted,
      maxConnections,
    }
    const ownDex = ownDexOf(options, callers, defaults)
    this.#options = options
    this.#ownDex = ownDex
    this.#ofCallers =
      gate?.issuers.map(issuer =>
        issuerOfCallers(surroundings, issuer, { gate, ownDex, callers, allowInsecureUrls, defaults }),
      ) ?? []
  }

  /** The issuers that the gate accepts; empty without a gate. */
  get ofCallers(): readonly CallersIssuer[] {
    return this.#ofCallers.map(({ ofCallers }) => ofCallers)
  }

  /** Returns the origin of tokens by the name of the issuer in their orders. */
  readonly originOf = (name: string): TokenOrigin =>
    this.#ofCallers.find(issuer => issuer.name === name)?.origin ?? this.#ownDex.origin

  /** Returns the parts that are not loaded yet, and starts to load them. */
  missing(): readonly Missing[] {
    return [...new Set(this.#all.flatMap(issuer => issuer.missing()))]
  }

  /** Tells whether a URL is an endpoint of one of them. */
  includes(url: URL): boolean {
    return this.#all.some(({ endpoints }) => endpoints.includes(url))
  }

  /** Drops the dead tokens of each Dex by its own key set. Returns a function that ends it. */
  watchSigningKeys(tokens: Tokens): () => void {
    return watchSigningKeys(this.#options, { ownDex: this.#ownDex, ofCallers: this.#ofCallers, tokens })
  }

  close(): void {
    for (const issuer of this.#all) issuer.close()
  }

  get #all(): readonly Issuer[] {
    return [this.#ownDex, ...this.#ofCallers]
  }
}
