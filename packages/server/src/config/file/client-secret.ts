import { optionRules } from '@broker/core/options'
import { parseCredentialText } from '../values/credential-text.ts'
import { quoteValue } from '../values/quote-value.ts'
import { Refusal } from '../values/refusal.ts'
import type { ClientDefinition } from './file-schema.ts'
import type { ReadTextFile } from './read-text-file.ts'

const { maxLength } = optionRules['client.clientSecret']
/** Enough for the longest secret in any characters, and a line break. */
const maxBytes = 4 * maxLength + 2

/** Reads a client's secret from its source. Throws a `Refusal` that names the source and never holds the secret. */
export function readClientSecret(
  { env: variable, file }: ClientDefinition['clientSecret'],
  env: NodeJS.ProcessEnv,
  read: ReadTextFile,
): string {
  if (variable !== undefined) {
    const secret = env[variable]
    if (secret === undefined) throw new Refusal(`the environment variable ${quoteValue(variable)} is not set`)
    if (secret === '') throw new Refusal(`the environment variable ${quoteValue(variable)} is empty`)
    return checked(secret, `the environment variable ${quoteValue(variable)}`)
  }
  const path = file ?? ''
  // Editors and `echo` end a file with a line break that is not part of the secret.
  const secret = read(path, maxBytes).replace(/\r?\n$/, '')
  if (secret === '') throw new Refusal(`${quoteValue(path)} is empty`)
  return checked(secret, quoteValue(path))
}

function checked(secret: string, source: string): string {
  try {
    return parseCredentialText(secret, maxLength)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal(...error.problems.map(problem => `${source} ${problem}`))
  }
}
