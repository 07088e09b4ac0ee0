import { ConfigError } from './config/config-error.ts'

/**
 * Describes why the broker did not start, for standard error; ends with a line break.
 *
 * As JSON, it has one line per fault in the form of the log: a collector of JSON lines drops anything else.
 */
export function startFailure(error: unknown, { asJson }: { readonly asJson: boolean }): string {
  if (!asJson) return `${textOf(error)}\n`
  const line = { level: 'fatal', time: new Date().toISOString() }
  const lines =
    error instanceof ConfigError
      ? error.faults.map(fault => ({ ...line, ...fault, msg: 'configuration rejected' }))
      : [{ ...line, stack: textOf(error), msg: 'start failed' }]
  return lines.map(each => `${JSON.stringify(each)}\n`).join('')
}

function textOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
