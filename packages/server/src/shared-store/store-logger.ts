import type { Logger } from '@broker/core'

/** Remedies by the first word of the store's answer, with the names of variables. */
const hints: ReadonlyMap<string, string> = new Map([
  [
    'WRONGPASS',
    'set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE to a user of the store and its password; a changed file is read within 10 s',
  ],
  ['NOAUTH', 'set SHARED_STORE_PASSWORD_FILE; the store requires a password'],
  ['NOPERM', 'give the user of SHARED_STORE_USERNAME the rights in docs/scaling.md'],
])

/** Words the hints of a store for the operator of the server. */
export function storeLogger(logger: Logger): Logger {
  const relay = (level: keyof Logger) => (fields: object, message: string) =>
    logger[level](worded(fields), message)
  return { debug: relay('debug'), info: relay('info'), warn: relay('warn'), error: relay('error') }
}

function worded(fields: { readonly why?: string }): object {
  const hint = hints.get(/^[A-Z]+\b/.exec(fields.why ?? '')?.[0] ?? '')
  return hint === undefined ? fields : { ...fields, hint }
}
