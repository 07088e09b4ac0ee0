import type { KeySource } from '../gate/keys/key-source.ts'
import type { TokenOrigin } from '../tokens/token-origin.ts'

/** A part that is not loaded yet: `endpoints` by discovery, or `keys` of the gate. */
export type Missing = 'endpoints' | 'keys'

/** An issuer: the origin of tokens and of the keys that verify JWTs. */
export interface Issuer {
  readonly name: string
  readonly origin: TokenOrigin
  /** `undefined` when its keys are not needed. */
  readonly keys: KeySource | undefined
  /** Returns the parts that are not loaded yet, and starts to load them. */
  missing(): readonly Missing[]
}
