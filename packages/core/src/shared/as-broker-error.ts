import { BrokerError } from './errors.ts'

/** An error of any kind as one of ours; a stranger is a fault of our own, `server_error`. */
export function asBrokerError(error: unknown, message: string): BrokerError {
  return BrokerError.is(error) ? error : new BrokerError('server_error', message, { cause: error })
}
