import type { NextParts } from '../shared/carried-parts.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { DeadTokens, type DeadTokensOptions } from './dead-tokens.ts'
import type { IssuerOfCallers } from './issuer-of-callers.ts'
import type { OwnDex } from './own-dex.ts'
import { warnOfNewSigningKeys } from './warn-of-new-signing-keys.ts'

export interface WatchedParts {
  readonly surroundings: Surroundings
  readonly parts: NextParts
  readonly ownDex: OwnDex
  readonly ofCallers: readonly IssuerOfCallers[]
  readonly tokens: Tokens
  /** Tells the parts of several kinds of tokens apart. */
  readonly kind: string
}

/**
 * Drops the dead tokens of each Dex by its own key set. If no key set of the broker's own Dex is known, warns about its new
 * signing keys instead.
 */
export function watchSigningKeys(
  issuer: string | undefined,
  { surroundings, parts, ownDex, ofCallers, tokens, kind }: WatchedParts,
): void {
  const known = ofCallers.map(other => ({ other, iss: other.ofCallers.expected }))
  const otherDexes = known.filter(({ other }) => other.origin !== undefined)
  const withSameKeys =
    ownDex.keys === undefined
      ? known.filter(each => !otherDexes.includes(each) && mayBe(each.iss, issuer))
      : []
  const watch = ({ maxAgeMs, ...options }: DeadTokensOptions & { readonly maxAgeMs: number }) => {
    const deadTokens = parts.take(
      'dead tokens',
      kind + options.source,
      [options],
      () => new DeadTokens(options),
    )
    // Not an input: a new object would not know the issuer of the tokens from before.
    parts.atSwap(() => {
      deadTokens.maxAgeMs = maxAgeMs
    })
  }
  for (const { other, iss } of [...otherDexes, ...withSameKeys]) {
    const { keys, keysMaxAgeMs: maxAgeMs, name: source } = other
    watch({ issuer: typeof iss === 'string' ? iss : undefined, source, tokens, keys, maxAgeMs })
  }
  if (ownDex.keys !== undefined) {
    const { keys, keysMaxAgeMs: maxAgeMs, name: source } = ownDex
    watch({ issuer, source, tokens, keys, maxAgeMs })
  } else if (withSameKeys.length === 0) {
    parts.take('new signing keys', kind.trim(), [tokens], () => {
      return { retire: warnOfNewSigningKeys(surroundings, { tokens, source: ownDex.name }) }
    })
  }
}

/** Tells whether an issuer of callers may be the broker's own Dex. If it is not, no token names it and none is dropped. */
function mayBe(iss: unknown, ownIssuer: string | undefined): boolean {
  return typeof iss === 'string' && (ownIssuer === undefined || iss === ownIssuer)
}
