import { audienceScopePrefix, type OrderedCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { changedError } from '../../shared/changed-error.ts'
import type { BrokerError } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'
import { isMutualTls } from '../../shared/is-mutual-tls.ts'
import { rejectionHint } from '../../shared/rejection-hint.ts'

/** OAuth errors that reject the client itself. */
const clientErrors = new Set<string | undefined>(['invalid_client', 'unauthorized_client'])
/** OAuth errors about the requested target: of RFC 8707 section 2, and of Entra. */
const targetErrors = new Set<string | undefined>(['invalid_target', 'invalid_resource'])
/** OAuth errors about the requested scope (RFC 6749 section 5.2) or target. */
const scopeErrors = new Set<string | undefined>(['invalid_scope', ...targetErrors])
/** OAuth errors that an additional parameter can cause: Auth0 answers `access_denied` for an `audience` that it does not know. */
const parameterErrors = new Set<string | undefined>(['access_denied', 'invalid_request'])

/**
 * Turns the rejection of a configured client into `client_misconfigured`, because only the operator can correct it. Adds a
 * hint for the operator, also for a caller's client when Dex's configuration has to change.
 */
export function ofConfigured({ credentials }: TokenOrder, failure: BrokerError): BrokerError {
  const { code, oauthError } = failure
  if (code !== 'token_request_rejected') return failure
  const hint = hintFor(oauthError, credentials)
  return isOperators(oauthError, credentials)
    ? changedError(failure, {
        code: 'client_misconfigured',
        message: 'the configured client was rejected',
        hint,
      })
    : changedError(failure, { hint })
}

// An error that can be about the scope is the caller's when the caller chose the scope.
function isOperators(oauthError: string | undefined, credentials: OrderedCredentials): boolean {
  const { configured, scopeConfigured } = credentials
  return configured && (scopeConfigured || clientErrors.has(oauthError) || oauthError === 'invalid_request')
}

function hintFor(oauthError: string | undefined, credentials: OrderedCredentials): Hint | undefined {
  // The operator maintains the peer's entry in Dex, also for callers' clients.
  if (scopeErrors.has(oauthError) && credentials.scope.includes(audienceScopePrefix)) {
    return { problem: 'peer_does_not_trust', option: `${clientOption(credentials)}.audiences` }
  }
  if (!isOperators(oauthError, credentials)) return undefined
  const option = clientOption(credentials)
  const { resource = [], extraParams = [] } = credentials
  if (targetErrors.has(oauthError) && resource.length > 0) {
    return { problem: 'resource_rejected', option: `${option}.resource` }
  }
  if (parameterErrors.has(oauthError) && extraParams.length > 0) {
    return { problem: 'extra_params_rejected', option: `${option}.extraParams` }
  }
  const hasSecret = credentials.assertions === undefined && !isMutualTls(credentials.authMethod)
  if (clientErrors.has(oauthError)) return rejectionHint(option, hasSecret)
  if (oauthError === 'invalid_request')
    return hasSecret ? { problem: 'request_not_understood', option } : rejectionHint(option, hasSecret)
  if (scopeErrors.has(oauthError)) return { problem: 'scope_rejected', option: `${option}.scope` }
  return { problem: 'client_refused', option }
}

/** The path of the options of a client. */
export function clientOption({ client }: OrderedCredentials): string {
  return client === undefined ? 'client' : `clients.${client}`
}
