import type { Logger } from '@broker/core'
import { serverStoreHint } from './server-store-hint.ts'

/** Words the hints of a store for the operator of the server. */
export function storeLogger(logger: Logger): Logger {
  const relay = (level: keyof Logger) => (fields: object, message: string) =>
    logger[level](worded(fields), message)
  return { debug: relay('debug'), info: relay('info'), warn: relay('warn'), error: relay('error') }
}

function worded(fields: { readonly cause?: string; readonly hint?: string }): object {
  return fields.hint === undefined ? fields : { ...fields, hint: serverStoreHint(fields.cause) }
}
