import { BrokerError } from './errors.ts'

/** The answer to whoever still waits, or asks, when the broker is closed. */
export function brokerClosed(code: 'token_endpoint_unavailable' | 'jwks_unavailable'): BrokerError {
  return new BrokerError(code, 'the broker is closed')
}
