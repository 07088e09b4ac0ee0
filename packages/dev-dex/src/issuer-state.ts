import type { DexClient } from './dex-client.ts'
import type { IssuerLocation } from './issuer-location.ts'
import type { KeyRing } from './key-ring.ts'

/** State that the endpoints share; the mutable members may change between two requests. */
export interface IssuerState {
  readonly location: IssuerLocation
  readonly clients: ReadonlyMap<string, DexClient>
  readonly keys: KeyRing
  readonly now: () => number
  /** The grant types that discovery lists; client_credentials is served only while it is in here. */
  grantTypes: readonly string[]
  idTokensMs: number
}
