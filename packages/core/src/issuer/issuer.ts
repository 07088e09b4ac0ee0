import type { KeySource } from '../gate/keys/key-source.ts'
import type { TokenOrigin } from '../tokens/token-origin.ts'

/** What the broker still has to load: `endpoints` by discovery, or `keys` of the gate. */
export type Missing = 'endpoints' | 'keys'

/** An issuer: the origin of tokens and of the keys that verify JWTs. */
export interface Issuer {
  readonly name: string
  readonly origin: TokenOrigin
  /** `undefined` when its keys are not needed. */
  readonly keys: KeySource | undefined
  /** Returns what is not loaded yet, and starts to load it. */
  missing(): readonly Missing[]
}
