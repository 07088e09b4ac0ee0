import { BrokerError } from './errors.ts'

/** The error for callers that wait when the broker closes, and for callers that come later. */
export function brokerClosed(code: 'token_endpoint_unavailable' | 'jwks_unavailable'): BrokerError {
  return new BrokerError(code, 'the broker is closed')
}
