import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config/config.ts'

/** The server's log, on standard output: JSON lines, or text for people. */
export function createLogger({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const options = { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  return logFormat === 'json'
    ? pino(options)
    : pino(
        options,
        pretty({ sync: true, colorize: process.stdout.isTTY, translateTime: false, singleLine: true }),
      )
}
