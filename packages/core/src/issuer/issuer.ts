import type { CallersIssuer } from '../gate/callers-issuer.ts'
import type { KeySource } from '../gate/keys/key-source.ts'
import type { IssuerStatus } from '../status/issuer-status.ts'
import type { DexOrigin } from '../tokens/dex/dex-origin.ts'
import type { IssuerEndpoints } from './issuer-endpoints.ts'

/** A part that is not loaded yet: `endpoints` by discovery, or `keys` of the gate. */
export type Missing = 'endpoints' | 'keys'

/** The name of the broker's own Dex in token orders. The blank keeps it apart from every name in the option `issuers`. */
export const ownDexName = 'own dex'

/** An issuer: the origin of tokens, and of the keys that verify JWTs. */
export interface Issuer {
  readonly name: string
  readonly endpoints: IssuerEndpoints
  /** `undefined` when no client gets its tokens from it. */
  readonly origin: DexOrigin | undefined
  /** For clients that a certificate authenticates; `undefined` when `origin` serves them too. */
  readonly mtlsOrigin: DexOrigin | undefined
  /** `undefined` when its keys are not needed. */
  readonly keys: KeySource | undefined
  /** `undefined` when the gate does not accept its JWTs. */
  readonly ofCallers: CallersIssuer | undefined
  /** Returns the parts that are not loaded yet, and starts to load them. */
  missing(): readonly Missing[]
  status(): IssuerStatus
}
