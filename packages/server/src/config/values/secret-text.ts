import { optionRules } from '@broker/core/options'
import { parseCredentialText } from './credential-text.ts'
import { quoteValue } from './quote-value.ts'
import type { ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

const { maxLength } = optionRules['client.clientSecret']
/** Enough for the longest secret in any characters, and a line break. */
const maxBytes = 4 * maxLength + 2

/** Reads a secret from a file, for variables and for the configuration file. Throws a `Refusal` that never holds the secret. */
export function readSecretFile(path: string, read: ReadTextFile): string {
  return read(path, maxBytes, text => {
    // Editors and `echo` end a file with a line break that is not part of the secret.
    const secret = text.replace(/\r?\n$/, '')
    if (secret === '') throw new Refusal(`${quoteValue(path)} is empty`)
    return parseSecretText(secret, quoteValue(path))
  })
}

/** Checks a secret; `source` begins the sentence that refuses it. */
export function parseSecretText(secret: string, source: string): string {
  try {
    return parseCredentialText(secret, maxLength)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal(...error.problems.map(problem => `${source} ${problem}`))
  }
}
