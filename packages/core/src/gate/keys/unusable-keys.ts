import { logText } from '../../shared/log-text.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { encryptionOnly } from './key-problem.ts'
import type { KeySet, UnusableKey } from './key-set.ts'

/** Limit of keys listed in a line. */
const maxListed = 8

/** Warns about keys that cannot verify a JWT, once and not at each refresh. */
export class UnusableKeys {
  readonly #surroundings: Surroundings
  #warned = ''

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** `source` has the option that holds the URL of the key set, and the name of its issuer for the log. */
  note(
    { unusable, size }: KeySet,
    { option, issuer }: { readonly option: string; readonly issuer?: string | undefined },
  ): void {
    // An encryption key beside signing keys is not a mistake.
    const listed = size === 0 ? unusable : unusable.filter(({ problem }) => problem !== encryptionOnly)
    const text = JSON.stringify([size === 0, listed])
    if (text === this.#warned) return
    this.#warned = text
    if (listed.length === 0) return
    const { logger, describeHint } = this.#surroundings
    const hint = size === 0 ? describeHint({ problem: 'no_usable_key', option }) : undefined
    const fields = {
      issuer,
      usable: size,
      unusable: listed.length,
      keys: listed.slice(0, maxListed).map(described),
      hint,
    }
    logger.warn(fields, size === 0 ? 'key set has no usable key' : 'key set has unusable keys')
  }
}

function described({ kid, problem }: UnusableKey): {
  readonly kid: string | undefined
  readonly problem: string
} {
  return { kid: kid && logText(kid), problem }
}
