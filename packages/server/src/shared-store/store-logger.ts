import type { Logger } from '@broker/core'

/** Hints by the code of a refusal, with the names of variables. */
const hints: Readonly<Record<string, string>> = {
  WRONGPASS:
    'set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE to a user of the store and its password; a changed file is read within 10 s',
  NOAUTH: 'set SHARED_STORE_PASSWORD_FILE; the store requires a password',
  NOPERM: 'give the user of SHARED_STORE_USERNAME the rights in docs/scaling.md',
}

/** Words the hints of a store for the operator of the server. */
export function storeLogger(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(worded(fields), message),
    error: (fields, message) => logger.error(worded(fields), message),
  }
}

function worded(fields: object): object {
  const { code } = fields as { readonly code?: string }
  const hint = hints[code ?? '']
  return hint === undefined ? fields : { ...fields, hint }
}
