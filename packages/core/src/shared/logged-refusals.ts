import type { BrokerError } from './errors.ts'

const logged = new WeakSet<BrokerError>()

/** Notes that the refusal of a check with this error has its own log line, and returns the error. */
export function loggedRefusal(error: BrokerError): BrokerError {
  logged.add(error)
  return error
}

/** Whether the refusal of a check with this error has a log line. */
export function isLoggedRefusal(error: BrokerError): boolean {
  return logged.has(error)
}
