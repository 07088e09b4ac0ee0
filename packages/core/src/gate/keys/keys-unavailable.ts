import { changedError } from '../../shared/changed-error.ts'
import { BrokerError } from '../../shared/errors.ts'

/** Discovery can fail as well: for a caller the keys are then unavailable. */
export function asKeysUnavailable(error: unknown): BrokerError {
  if (!BrokerError.is(error)) {
    return new BrokerError('jwks_unavailable', 'the key set could not be loaded', { cause: error })
  }
  return error.code === 'jwks_unavailable' ? error : changedError(error, { code: 'jwks_unavailable' })
}
