import type { DexClient } from './dex-client.ts'
import type { IssuerLocation } from './issuer-location.ts'
import type { KeyRing } from './key-ring.ts'
import type { OpenConnector } from './open-connector.ts'

/** State that the endpoints share; the mutable members may change between two requests. */
export interface IssuerState {
  readonly location: IssuerLocation
  readonly clients: ReadonlyMap<string, DexClient>
  readonly connectors: ReadonlyMap<string, OpenConnector>
  /** Id of the connector that the password grant logs in with; '' for none. */
  readonly passwordConnector: string
  readonly keys: KeyRing
  readonly now: () => number
  /** The grant types that discovery lists; no other is served. */
  grantTypes: readonly string[]
  idTokensMs: number
}
