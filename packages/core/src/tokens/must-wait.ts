import { BrokerError } from '../shared/errors.ts'

/** What callers with a living token are told: they do not wait for it. */
export function mustWait(what: string): BrokerError {
  return new BrokerError('overloaded', `the token request is waiting for ${what}`, {
    retryAfterMs: 1000,
    transient: true,
  })
}
