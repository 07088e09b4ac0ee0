import type { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import type { Config } from './config/config.ts'
import { LogOutput } from './log-output.ts'
import type { RecentLines } from './recent-lines.ts'

/** The server's log, by default on standard output: JSON lines, or text for people. Writing never blocks a check. */
export async function createLogger(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  output: Writable = process.stdout,
): Promise<Logger> {
  const format = logFormat === 'text' ? await textFormat() : undefined
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Log stores expect names; pino writes numbers by default.
      formatters: { level: level => ({ level }) },
    },
    // Node writes to a pipe without blocking, and to a file or a terminal at once.
    new LogOutput(output, format),
  )
}

/** How many lines a logger of `createLogger` has dropped; 0 for any other. */
export function droppedLines(logger: Logger): number {
  return outputOf(logger)?.dropped ?? 0
}

/** The last failures in the log of a logger of `createLogger`; `undefined` for any other. */
export function recentLines(logger: Logger): RecentLines | undefined {
  return outputOf(logger)?.recent
}

function outputOf(logger: Logger): LogOutput | undefined {
  const output: unknown = Reflect.get(logger, pino.symbols.streamSym)
  return output instanceof LogOutput ? output : undefined
}

/** Loaded only where people read along, because it makes the start slower. */
async function textFormat(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({ colorize: process.stdout.isTTY, translateTime: false, singleLine: true })
  return line => format(line)
}
