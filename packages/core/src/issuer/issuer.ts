import type { KeySource } from '../gate/keys/key-source.ts'
import type { TokenOrigin } from '../tokens/token-origin.ts'

/** What an issuer still lacks before it can be used: where its endpoints are, or its keys. */
export type Missing = 'endpoints' | 'keys'

/** An issuer as the broker uses it: tokens come from it, and its keys verify JWTs. */
export interface Issuer {
  readonly name: string
  readonly origin: TokenOrigin
  /** `undefined` where nobody needs its keys. */
  readonly keys: KeySource | undefined
  /** What is not known yet; to ask starts to load it. */
  missing(): readonly Missing[]
}
