import { parseGoInteger } from './go-integer.ts'

/** A level of pino, from the most to the least talkative. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

const severityByName: Readonly<Record<string, number>> = { DEBUG: -4, INFO: 0, WARN: 4, ERROR: 8 }
const pinoLevels: ReadonlyArray<readonly [level: LogLevel, severity: number, slogName: string]> = [
  ['trace', -8, 'DEBUG-4'],
  ['debug', -4, 'DEBUG'],
  ['info', 0, 'INFO'],
  ['warn', 4, 'WARN'],
  ['error', 8, 'ERROR'],
  ['fatal', 12, 'ERROR+4'],
]

/**
 * Reads a level of Go's `log/slog`: DEBUG, INFO, WARN or ERROR in any case, with an optional offset (`INFO+2`).
 *
 * Returns the pino level that lets the same records through (`INFO+2` is `warn`), or undefined if the text is not a level.
 */
export function parseLogLevel(text: string): LogLevel | undefined {
  const [, name = '', offset = '0'] = /^([a-z]+)([+-].*)?$/is.exec(text) ?? []
  const base = severityByName[name.toUpperCase()]
  const steps = parseGoInteger(offset)
  if (base === undefined || steps === undefined || !Number.isSafeInteger(steps)) return undefined
  return pinoLevels.find(([, severity]) => severity >= base + steps)?.[0] ?? 'silent'
}

/** Writes a pino level in slog's words, so that `parseLogLevel` reads the same level back. */
export function formatLogLevel(level: LogLevel): string {
  return pinoLevels.find(([name]) => name === level)?.[2] ?? 'ERROR+5'
}
