import { audienceScopePrefix, type ClientCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { changedError } from '../../shared/changed-error.ts'
import type { BrokerError } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'

/** OAuth errors that reject the client itself. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])

/**
 * Turns the rejection of a configured client into `client_misconfigured`, because only the operator can correct it. Adds a
 * hint for the operator, also for a caller's client when Dex's configuration has to change.
 */
export function ofConfigured({ credentials }: TokenOrder, failure: BrokerError): BrokerError {
  const { code, oauthError } = failure
  if (code !== 'token_request_rejected') return failure
  const { configured, scopeConfigured } = credentials
  const hint = hintFor(oauthError, credentials)
  const isOurs = clientErrors.has(oauthError) || (oauthError === 'invalid_scope' && scopeConfigured)
  return configured && isOurs
    ? changedError(failure, {
        code: 'client_misconfigured',
        message: 'the configured client was rejected',
        hint,
      })
    : changedError(failure, { hint })
}

function hintFor(oauthError: string | undefined, { configured, scope }: ClientCredentials): Hint | undefined {
  // The operator maintains the peer's entry in Dex, also for callers' clients.
  if (oauthError === 'invalid_scope' && scope.includes(audienceScopePrefix)) {
    return { problem: 'peer_does_not_trust', option: 'client.audiences' }
  }
  if (!configured) return undefined
  if (clientErrors.has(oauthError)) return { problem: 'credentials_rejected', option: 'client' }
  if (oauthError === 'invalid_request') return { problem: 'request_not_understood', option: 'client' }
  return oauthError === 'invalid_scope' ? { problem: 'scope_rejected', option: 'client.scope' } : undefined
}
