import type { DexClient, DexConnector, DexUser } from '../src/index.ts'

/** What the conformance suite needs of an issuer. */
export interface ConformanceIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly discoveryUri: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  readonly introspectionEndpoint: string
  readonly userinfoEndpoint: string
}

/** Options that a look-alike and a real Dex share. */
export interface ConformanceOptions {
  readonly clients: readonly DexClient[]
  readonly users?: readonly DexUser[]
  readonly passwordConnector?: string
  readonly connectors?: readonly DexConnector[]
  readonly issuerPath?: string
  readonly idTokensMs?: number
  readonly algorithm?: 'RS256' | 'ES256'
  readonly grantTypes?: readonly string[]
}

export type StartIssuer = (options: ConformanceOptions) => Promise<ConformanceIssuer>

export const weirdId = 'weird:id +/%'
export const weirdSecret = 'p@ss:w%rd +&=/é'

/** The clients that the suite expects. */
export const conformanceClients: readonly DexClient[] = [
  { id: 'ci-pipeline', secret: 's3cr3t', name: 'CI Pipeline', groups: ['ci', 'deployers'] },
  { id: 'no-groups', secret: 'ng' },
  { id: 'opendepot', secret: 'od', name: 'OpenDepot', trustedPeers: ['ci-pipeline'] },
  { id: weirdId, secret: weirdSecret },
  { id: 'plus', secret: 'a+b' },
  { id: 'cli', name: 'Public CLI', public: true },
  { id: 'cli-with-secret', public: true, secret: 'pub' },
  { id: 'markup', secret: 'm', name: 'A <b> & "c" \u2028' },
  { id: 'i'.repeat(200), secret: 'long' },
]
