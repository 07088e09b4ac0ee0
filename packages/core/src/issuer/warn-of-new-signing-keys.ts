import { logText } from '../shared/log-text.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Tokens } from '../tokens/tokens.ts'

/** Keys that are remembered; Dex has a new one every six hours. */
const maxKnown = 64

/**
 * Warns when a token is signed by a key that no token before it named, where the broker cannot look at Dex's key set: a
 * rotation looks like this, and so does a Dex that lost its keys, whose cached tokens no backend can verify.
 */
export function warnOfNewSigningKeys({ logger, sampler, describeHint }: Surroundings, tokens: Tokens): void {
  const known = new Map<string, Set<string>>()
  tokens.signedWith.subscribe(({ issuer, kid }) => {
    const kids = known.get(issuer)
    if (kids?.has(kid)) return
    // Tokens come from one Dex: another `iss` takes the place of the former one.
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
