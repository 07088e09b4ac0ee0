import type { Logger } from '@broker/core'

export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps its lines. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message)
  }

  /** How often a message was written. */
  count(message: string): number {
    return this.lines.filter(line => line.message === message).length
  }

  #keep(level: keyof Logger, fields: object, message: string): void {
    this.lines.push({ level, message, fields: { ...fields } })
  }
}
