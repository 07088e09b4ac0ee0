import { optionRules, shownUrl } from '@broker/core/options'
import { parseJwtAudiences, parseNames, parseTokenAudiences } from '../values/audience-list.ts'
import { type CaFile, readCaFile } from '../values/ca-file.ts'
import { parseCredentialText, parseScopeText } from '../values/credential-text.ts'
import { parseEndpointUrl, parseIssuer } from '../values/endpoint-url.ts'
import { parseGoBoolean } from '../values/go-boolean.ts'
import { parseHeaderName } from '../values/header-name.ts'
import { type HeadersByField, headersByField, mappingsOf } from '../values/headers-by-field.ts'
import { parseJwtAlgorithms } from '../values/jwt-algorithms.ts'
import { formatListenAddress, type ListenAddress, parseListenAddress } from '../values/listen-address.ts'
import { formatLogLevel, type LogLevel, parseLogLevel } from '../values/log-level.ts'
import { formatMilliseconds, parseMilliseconds } from '../values/milliseconds.ts'
import { quoteValue } from '../values/quote-value.ts'
import { readTextFile } from '../values/read-text-file.ts'
import { Refusal } from '../values/refusal.ts'
import { readSealingKeyFile, type SealingKeyFile, shownKeyFile } from '../values/sealing-key-file.ts'
import { readSecretFile } from '../values/secret-text.ts'
import { parseStorePrefix, parseStoreUrl } from '../values/shared-store-options.ts'
import { formatTokenHeaderMappings, parseTokenHeaderMappings } from '../values/token-header-mapping.ts'
import type { Kind } from './variable.ts'

export { count, fraction, ratio } from './number-kinds.ts'

/** A file with a secret, and the secret. */
export interface SecretFile {
  readonly path: string
  readonly secret: string
}

const asWritten = (text: string): string => text

/** A duration in Go's syntax, as whole milliseconds. */
export const duration: Kind<number> = {
  type: () => 'duration',
  parse: (text, { min = 0, max }) => parseMilliseconds(text, { min, max }),
  format: formatMilliseconds,
}

/** A duration as the Go service reads it: zero means the default. */
export const durationOrDefault: Kind<number> = {
  ...duration,
  parse: (text, rule) => parseMilliseconds(text, { min: 0, max: rule.max }) || (rule.default ?? 0),
}

/** A boolean in Go's spellings. */
export const boolean: Kind<boolean> = {
  type: () => 'boolean',
  parse: text => {
    const value = parseGoBoolean(text)
    if (value === undefined)
      throw new Refusal(
        `${quoteValue(text)} is not true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)`,
      )
    return value
  },
  format: String,
}

/** One of a few words, case-sensitive. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return {
    type: () => words.map(word => `\`${word}\``).join(' or '),
    parse: text => {
      const found = words.find(word => word === text)
      if (found === undefined) throw new Refusal(`${quoteValue(text)} is not one of ${words.join(', ')}`)
      return found
    },
    format: asWritten,
  }
}

/** A level of Go's `log/slog`, as the pino level that lets the same records through. */
export const logLevel: Kind<LogLevel> = {
  type: () => 'level',
  parse: text => {
    const level = parseLogLevel(text)
    if (level === undefined)
      throw new Refusal(`${quoteValue(text)} is not one of DEBUG, INFO, WARN, ERROR (with an offset: INFO+2)`)
    return level
  },
  format: formatLogLevel,
}

/** A listen address in Go's form `host:port`. */
export const address: Kind<ListenAddress> = {
  type: () => 'address',
  parse: parseListenAddress,
  format: formatListenAddress,
}

/** A listen address, or the word `off`. */
export const addressOrOff: Kind<ListenAddress | 'off'> = {
  type: () => 'address or `off`',
  parse: text => (text.toLowerCase() === 'off' ? 'off' : parseListenAddress(text)),
  format: value => (value === 'off' ? value : formatListenAddress(value)),
}

/** The URL of an endpoint. Whether http is allowed depends on ALLOW_INSECURE_DEX_URL and is checked later. */
export const url: Kind<string> = {
  type: () => 'URL',
  parse: text => parseEndpointUrl(text).href,
  format: asWritten,
  show: shownUrl,
}

/** An issuer, exactly as written, because it is compared as text. */
export const issuer: Kind<string> = {
  type: () => 'URL without a query',
  parse: parseIssuer,
  format: asWritten,
}

/** A file of PEM certificates, read at once. */
export const caFile: Kind<CaFile> = {
  type: () => 'path of a PEM file',
  parse: (path, _, read = readTextFile) => readCaFile(path, read),
  format: ({ path }) => path,
}

/** A header name, in lower case. */
export const header: Kind<string> = {
  type: () => 'header name',
  parse: parseHeaderName,
  format: asWritten,
}

/** Fields of the token response and the headers that carry them. */
export const mappings: Kind<HeadersByField> = {
  type: () => '`json_field:header_name,...`',
  parse: text => headersByField(parseTokenHeaderMappings(text)),
  format: byField => formatTokenHeaderMappings(mappingsOf(byField)),
}

/** Any text without control characters. */
export const text: Kind<string> = {
  type: ({ maxLength }) => `text, at most ${maxLength} characters`,
  parse: (value, { maxLength = Number.POSITIVE_INFINITY }) => parseCredentialText(value, maxLength),
  format: asWritten,
}

/** Scopes, separated by blanks. */
export const scope: Kind<string> = {
  type: ({ maxLength }) => `scopes separated by blanks, at most ${maxLength} characters`,
  parse: (value, { maxLength = Number.POSITIVE_INFINITY }) => parseScopeText(value, maxLength),
  format: asWritten,
}

/** Client ids of the services a token is for. */
export const tokenAudiences: Kind<readonly string[]> = {
  type: () => 'client ids separated by commas or blanks',
  parse: parseTokenAudiences,
  format: names => names.join(','),
  isList: true,
}

/** Audiences; a JWT needs one of them. */
export const jwtAudiences: Kind<readonly string[]> = {
  type: () => 'audiences separated by commas',
  parse: parseJwtAudiences,
  format: names => names.join(','),
  isList: true,
}

/** Algorithms of JWTs, separated by commas or blanks. */
export const jwtAlgorithms: Kind<readonly string[]> = {
  type: () =>
    `algorithms separated by commas or blanks, of ${optionRules['gate.algorithms'].values.join(', ')}`,
  parse: parseJwtAlgorithms,
  format: algorithms => algorithms.join(','),
  isList: true,
}

/** Names, separated by commas or blanks. */
export const names: Kind<readonly string[]> = {
  type: () => 'names separated by commas or blanks',
  parse: parseNames,
  format: list => list.join(','),
  isList: true,
}

/** The audiences that are accepted of machines, or `any`. */
export const machineAudiences: Kind<'any' | readonly string[]> = {
  type: () => '`any`, or audiences separated by commas',
  parse: value => (value.trim().toLowerCase() === 'any' ? 'any' : parseJwtAudiences(value)),
  format: value => (value === 'any' ? value : value.join(',')),
  isList: true,
}

/** A file with a secret, read at once. */
export const secretFile: Kind<SecretFile> = {
  type: () => 'path of a text file',
  parse: (path, _, read = readTextFile) => ({ path, secret: readSecretFile(path, read) }),
  format: ({ path }) => path,
}

/** The URL of a shared store. */
export const storeUrl: Kind<string> = {
  type: () => 'URL of Valkey or Redis',
  parse: parseStoreUrl,
  format: asWritten,
}

/** The beginning of the names in a shared store. */
export const storePrefix: Kind<string> = {
  type: () => 'up to 64 letters, digits, `.`, `_`, `:` and `-`',
  parse: parseStorePrefix,
  format: asWritten,
}

/** A file with the keys of a shared store, read at once. */
export const sealingKeyFile: Kind<SealingKeyFile> = {
  type: () => 'path of a text file',
  parse: (path, _, read = readTextFile) => readSealingKeyFile(path, read),
  format: ({ path }) => path,
  show: shownKeyFile,
}

/** A path. Whether the file can be read is checked by its reader. */
export const yamlFile: Kind<string> = {
  type: () => 'path of a YAML file',
  parse: asWritten,
  format: asWritten,
}
