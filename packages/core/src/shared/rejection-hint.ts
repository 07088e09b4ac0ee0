import type { Hint } from './hint.ts'

/** The hint for a client that the server does not authenticate. `option`: the path of the client's options. */
export function rejectionHint(option: string, hasSecret: boolean): Hint {
  return hasSecret
    ? { problem: 'credentials_rejected', option }
    : { problem: 'authentication_rejected', option: `${option}.authentication` }
}
