import { quoteValue } from '../values/quote-value.ts'
import type { ReadTextFile } from '../values/read-text-file.ts'
import { Refusal } from '../values/refusal.ts'
import { parseSecretText, readSecretFile } from '../values/secret-text.ts'
import type { ClientDefinition } from './file-schema.ts'

/** Reads a client's secret from its source. Throws a `Refusal` that names the source and never holds the secret. */
export function readClientSecret(
  { env: variable, file }: NonNullable<ClientDefinition['clientSecret']>,
  env: NodeJS.ProcessEnv,
  read: ReadTextFile,
): string {
  if (variable === undefined) return readSecretFile(file ?? '', read)
  const secret = env[variable]
  const source = `the environment variable ${quoteValue(variable)}`
  if (secret === undefined) throw new Refusal(`${source} is not set`)
  if (secret === '') throw new Refusal(`${source} is empty`)
  return parseSecretText(secret, source)
}
