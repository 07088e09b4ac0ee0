import { KeySource } from '../gate/keys/key-source.ts'
import type { ResolvedOptions } from '../options/resolve-options.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { DeadTokens } from './dead-tokens.ts'
import type { DexEndpoints } from './dex-endpoints.ts'
import { warnOfNewSigningKeys } from './warn-of-new-signing-keys.ts'

/** The `max-age=600` of Dex's key set, in milliseconds. */
const dexKeysMaxAgeMs = 600_000
const dexKeysMaxStaleMs = 3_600_000

/** The key sets of a broker: the gate's, and Dex's if it is a different one. */
export interface BrokerKeys {
  readonly gate: KeySource | undefined
  /** Used only to find dead tokens. */
  readonly dex: KeySource | undefined
}

export function brokerKeys(
  options: ResolvedOptions,
  endpoints: DexEndpoints,
  callers: WaitingCallers,
): BrokerKeys {
  const { surroundings, gate } = options
  const ofDex = { jwksUri: endpoints.jwksUri, option: options.jwksUri === undefined ? 'issuer' : 'jwksUri' }
  const { jwksUri } = gate ?? {}
  return {
    gate:
      gate &&
      new KeySource(surroundings, {
        ...(jwksUri === undefined ? ofDex : { jwksUri: () => jwksUri, option: 'gate.jwksUri' }),
        maxAgeMs: gate.jwksMaxAgeMs,
        maxStaleMs: gate.jwksMaxStaleMs,
        callers,
      }),
    dex: needsOwnSource(options)
      ? new KeySource(surroundings, {
          ...ofDex,
          maxAgeMs: dexKeysMaxAgeMs,
          maxStaleMs: dexKeysMaxStaleMs,
          callers,
        })
      : undefined,
  }
}

/** Drops dead tokens by Dex's own key set. Without one, warns about new signing keys instead. */
export function watchSigningKeys(
  { surroundings, issuer, gate }: ResolvedOptions,
  keys: BrokerKeys,
  tokens: Tokens,
): DeadTokens | undefined {
  if (keys.dex !== undefined) {
    return new DeadTokens({ issuer, tokens, keys: keys.dex, maxAgeMs: dexKeysMaxAgeMs })
  }
  if (keys.gate !== undefined && gate !== undefined) {
    const isDexs = gate.jwksUri === undefined
    const { jwksMaxAgeMs: maxAgeMs } = gate
    if (isDexs) return new DeadTokens({ issuer, tokens, keys: keys.gate, maxAgeMs })
    // If this is an issuer other than Dex, no token names it and none is dropped.
    if (gate.issuer !== undefined)
      return new DeadTokens({ issuer: gate.issuer, tokens, keys: keys.gate, maxAgeMs })
  }
  warnOfNewSigningKeys(surroundings, tokens)
  return undefined
}

/** Dex's keys need a source unless the gate uses them. */
function needsOwnSource({ issuer, jwksUri, gate }: ResolvedOptions): boolean {
  if (jwksUri !== undefined) return gate?.jwksUri !== undefined || gate === undefined
  return (
    issuer !== undefined && (gate === undefined || (gate.jwksUri !== undefined && gate.issuer !== issuer))
  )
}
