import { logText } from '../shared/log-text.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Tokens } from '../tokens/tokens.ts'

/** Limit of remembered keys; Dex creates one every six hours by default. */
const maxKnown = 64

/**
 * Warns when a token has a new signing key and the broker does not know Dex's key set. The reason can be a rotation, or a
 * Dex that lost its keys, so that no backend can verify the cached tokens. `source` is the name of that Dex. Returns a function
 * that ends it.
 */
export function warnOfNewSigningKeys(
  { logger, sampler, describeHint }: Surroundings,
  { tokens, source }: { readonly tokens: Tokens; readonly source: string },
): () => void {
  const known = new Map<string, Set<string>>()
  return tokens.signedWith.subscribe(({ issuer, kid, source: from }) => {
    if (from !== source) return
    const kids = known.get(issuer)
    if (kids?.has(kid)) return
    // Tokens come from one Dex: a new `iss` replaces the old one.
    if (kids === undefined) {
      known.clear()
      known.set(issuer, new Set([kid]))
      return
    }
    if (kids.size >= maxKnown) kids.clear()
    kids.add(kid)
    sampler.note('signing_key_changed', count => {
      const hint = describeHint({ problem: 'signing_key_changed', option: 'issuer' })
      logger.warn(
        { iss: logText(issuer), kid: logText(kid), count, hint },
        'Dex signs with a new key; cached tokens of the old key may be invalid',
      )
    })
  })
}
