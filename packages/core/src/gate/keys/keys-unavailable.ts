import { changedError } from '../../shared/changed-error.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { UpstreamRequest } from '../../shared/upstream-request.ts'

/** Discovery can fail as well: for a caller the keys are then unavailable. */
export function asKeysUnavailable(error: unknown): BrokerError {
  if (!BrokerError.is(error)) {
    return new BrokerError('jwks_unavailable', 'the key set could not be loaded', { cause: error })
  }
  return error.code === 'jwks_unavailable' ? error : changedError(error, { code: 'jwks_unavailable' })
}

/** A set without a usable key never replaces a good one (RFC 7517 section 5: such keys are ignored). */
export function noUsableKey(option: string, request: UpstreamRequest): BrokerError {
  return new BrokerError('jwks_unavailable', 'the key set has no usable key', {
    hint: { problem: 'no_usable_key', option },
    upstreamRequest: request,
  })
}

/** A caller's own timeout. */
export function waitedTooLong(): BrokerError {
  return new BrokerError('jwks_unavailable', 'the JWKS endpoint timed out', {
    retryAfterMs: 1000,
    transient: true,
  })
}
