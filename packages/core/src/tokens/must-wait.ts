import { BrokerError } from '../shared/errors.ts'

/** Tells callers with an unexpired token that they need not wait. */
export function mustWait(what: string): BrokerError {
  return new BrokerError('overloaded', `the token request is waiting for ${what}`, {
    retryAfterMs: 1000,
    transient: true,
  })
}
