import { BrokerError } from '../shared/errors.ts'
import type { UpstreamRequest } from '../shared/upstream-request.ts'

/** The process was suspended for longer than the token lives, or Dex took as long. */
export function deadOnArrival(upstreamRequest: UpstreamRequest | undefined): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the token was expired on arrival', {
    transient: true,
    upstreamRequest,
    hint: { problem: 'expired_on_arrival', option: 'tokenEndpoint' },
  })
}
