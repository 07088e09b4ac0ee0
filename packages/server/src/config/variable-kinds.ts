import { parseJwtAudiences, parseTokenAudiences } from './audience-list.ts'
import { type CaFile, readCaFile } from './ca-file.ts'
import { parseCredentialText, parseScopeText } from './credential-text.ts'
import { parseEndpointUrl, parseIssuer } from './endpoint-url.ts'
import { parseGoBoolean } from './go-boolean.ts'
import { formatGoDuration, parseGoDuration } from './go-duration.ts'
import { parseGoInteger } from './go-integer.ts'
import { parseHeaderName } from './header-name.ts'
import { type ListenAddress, parseListenAddress } from './listen-address.ts'
import { type LogLevel, parseLogLevel } from './log-level.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'
import { parseTokenHeaderMappings, type TokenHeaderMapping } from './token-header-mapping.ts'
import type { VariableKind } from './variable.ts'

const NANOSECONDS_PER_MILLISECOND = 1_000_000n
// Node turns a longer timer into one of 1 ms, without an error.
const LONGEST_DURATION = (2n ** 31n - 1n) * NANOSECONDS_PER_MILLISECOND

/**
 * A duration in Go's syntax, as whole milliseconds, rounded up: a timer of half a millisecond has no meaning here.
 *
 * `zeroMeans` is the duration that a zero stands for; `atLeast` is the shortest one allowed.
 */
export function duration(limits: { zeroMeans?: string; atLeast?: string } = {}): VariableKind<number> {
  const parse = (text: string): number => {
    const nanoseconds = parseGoDuration(text)
    if (nanoseconds === undefined) throw new Refusal(`${quoteValue(text)} is not a duration`)
    if (nanoseconds < 0n) throw new Refusal(`${quoteValue(text)} is negative`)
    if (nanoseconds > LONGEST_DURATION) {
      throw new Refusal(`${quoteValue(text)} is longer than ${formatGoDuration(LONGEST_DURATION)}`)
    }
    if (nanoseconds === 0n && limits.zeroMeans !== undefined) return parse(limits.zeroMeans)
    if (nanoseconds < (parseGoDuration(limits.atLeast ?? '0') ?? 0n)) {
      throw new Refusal(`${quoteValue(text)} is shorter than ${limits.atLeast}`)
    }
    const wholeMilliseconds = (nanoseconds + NANOSECONDS_PER_MILLISECOND - 1n) / NANOSECONDS_PER_MILLISECOND
    return Number(wholeMilliseconds)
  }
  return { type: 'duration', parse }
}

/** A boolean in Go's spellings. */
export const boolean: VariableKind<boolean> = {
  type: 'boolean',
  parse: text => {
    const value = parseGoBoolean(text)
    if (value === undefined)
      throw new Refusal(
        `${quoteValue(text)} is not true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)`,
      )
    return value
  },
}

/** A whole number from 0 to `most`. */
export function count(most: number): VariableKind<number> {
  return {
    type: `whole number, at most ${most}`,
    parse: text => {
      const value = parseGoInteger(text)
      if (value === undefined) throw new Refusal(`${quoteValue(text)} is not a whole number`)
      if (value < 0) throw new Refusal(`${quoteValue(text)} is negative`)
      if (value > most) throw new Refusal(`${quoteValue(text)} is more than ${most}`)
      return value + 0 // turns -0 into 0
    },
  }
}

/** A part of a whole: a decimal number above 0, and not above 1. */
export const ratio: VariableKind<number> = {
  type: 'number above 0, at most 1',
  parse: text => {
    if (!/^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
      throw new Refusal(`${quoteValue(text)} is not a number above 0`)
    }
    const value = Number(text)
    if (value === 0) throw new Refusal(`${quoteValue(text)} is not above 0`)
    if (value > 1) throw new Refusal(`${quoteValue(text)} is more than 1`)
    return value
  },
}

/** One of a few words, in this very spelling. */
export function oneOf<const Word extends string>(...words: readonly Word[]): VariableKind<Word> {
  return {
    type: words.map(word => `\`${word}\``).join(' or '),
    parse: text => {
      const found = words.find(word => word === text)
      if (found === undefined) throw new Refusal(`${quoteValue(text)} is not one of ${words.join(', ')}`)
      return found
    },
  }
}

/** A level of Go's `log/slog`, as the pino level that lets the same records through. */
export const logLevel: VariableKind<LogLevel> = {
  type: 'level',
  parse: text => {
    const level = parseLogLevel(text)
    if (level === undefined)
      throw new Refusal(`${quoteValue(text)} is not one of DEBUG, INFO, WARN, ERROR (with an offset: INFO+2)`)
    return level
  },
}

/** Where to listen, in Go's `host:port`. */
export const address: VariableKind<ListenAddress> = { type: 'address', parse: parseListenAddress }

/** Where to listen, or the word `off`. */
export const addressOrOff: VariableKind<ListenAddress | 'off'> = {
  type: 'address or `off`',
  parse: text => (text.toLowerCase() === 'off' ? 'off' : parseListenAddress(text)),
}

/** The URL of an endpoint; whether http is acceptable depends on ALLOW_INSECURE_DEX_URL and is judged later. */
export const url: VariableKind<URL> = { type: 'URL', parse: parseEndpointUrl }

/** An issuer, as the very text that was written, because it is compared exactly. */
export const issuer: VariableKind<string> = { type: 'URL without a query', parse: parseIssuer }

/** A file of PEM certificates, read on the spot. */
export const caFile: VariableKind<CaFile> = { type: 'path of a PEM file', parse: readCaFile }

/** A header name, in lower case. */
export const header: VariableKind<string> = { type: 'header name', parse: parseHeaderName }

/** Fields of the token response and the headers that carry them. */
export const mappings: VariableKind<readonly TokenHeaderMapping[]> = {
  type: '`json_field:header_name,...`',
  parse: parseTokenHeaderMappings,
}

/** Any text without control characters. */
export function text(limit: number): VariableKind<string> {
  return {
    type: `text, at most ${limit} characters`,
    parse: value => parseCredentialText(value, limit),
  }
}

/** Scopes, separated by blanks. */
export function scope(limit: number): VariableKind<string> {
  return {
    type: `scopes separated by blanks, at most ${limit} characters`,
    parse: value => parseScopeText(value, limit),
  }
}

/** Client ids of the services a token is for. */
export const tokenAudiences: VariableKind<readonly string[]> = {
  type: 'client ids separated by commas or blanks',
  parse: parseTokenAudiences,
}

/** Audiences of which a JWT needs one. */
export const jwtAudiences: VariableKind<readonly string[]> = {
  type: 'audiences separated by commas',
  parse: parseJwtAudiences,
}
