import { createRequire } from 'node:module'
import { type Logger, pino } from 'pino'
import type { Config } from './config/config.ts'

/** The server's log, on standard output: JSON lines, or text for people. */
export function createLogger({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const options = { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  return logFormat === 'json' ? pino(options) : pino(options, textStream())
}

/** Loaded only where people read along: it is a part of the start that nobody else needs. */
function textStream() {
  const pretty: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return pretty({ sync: true, colorize: process.stdout.isTTY, translateTime: false, singleLine: true })
}
