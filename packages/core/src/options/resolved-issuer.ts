import type { Transport } from '../shared/http/transport.ts'

/** An issuer of callers' JWTs, validated: an entry of the option `issuers`, or the option `gate` alone. */
export interface ResolvedIssuer {
  /** `default` for the option `gate` alone. */
  readonly name: string
  /** The name in the log; `undefined` for the option `gate` alone. */
  readonly shownAs: string | undefined
  /** The paths of its options, for hints. */
  readonly paths: IssuerPaths
  /** The expected `iss`. `undefined`: the discovery document names it, or any with the option `gate` alone. */
  readonly issuer: string | undefined
  /** Whether any `iss` is accepted. */
  readonly acceptsAnyIss: boolean
  /** `undefined` for the usual place. */
  readonly discoveryUrl: string | undefined
  /** `undefined` to discover it. */
  readonly jwksUri: string | undefined
  /** `undefined` to discover it. */
  readonly tokenEndpoint: string | undefined
  /** Whether the key set is the one of the broker's own Dex, from the same place. */
  readonly sharesKeys: boolean
  /** Whether clients that name it get their tokens from the broker's own Dex. */
  readonly sharesTokens: boolean
  /** Whether a client names it as its `dex`. */
  readonly hasClients: boolean
  /** Whether its client_credentials tokens are machines. */
  readonly isDex: boolean
  /** An empty list accepts any audience. */
  readonly audiences: readonly string[]
  /** Accepted of machines, in addition to `audiences`. */
  readonly machineAudiences: 'any' | readonly string[]
  readonly algorithms: readonly string[]
  /** Tolerated clock difference, in milliseconds. */
  readonly clockToleranceMs: number
  readonly groupsClaim: string
  /** `undefined` for the option `transport`. */
  readonly transport: Transport | undefined
}

/** The paths of an issuer's options, as hints name them. */
export interface IssuerPaths {
  readonly issuer: string
  readonly audiences: string
  readonly clockToleranceMs: string
  /** The option from which the discovery document is found. */
  readonly discovery: string
  /** The option with the URL of the key set, or of the discovery document that has it. */
  readonly keys: string
  /** The option with the URL of the token endpoint, or of the discovery document that has it. */
  readonly tokens: string
}
