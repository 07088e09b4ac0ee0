import { BrokerError } from './errors.ts'

/** Returns a `BrokerError` as it is and wraps any other error as `server_error`, with the error as its cause. */
export function asBrokerError(error: unknown, message: string): BrokerError {
  return BrokerError.is(error) ? error : new BrokerError('server_error', message, { cause: error })
}
