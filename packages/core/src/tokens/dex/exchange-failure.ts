import { audienceScopePrefix } from '../../clients/client-credentials.ts'
import type { TokenExchange } from '../../clients/token-exchange.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { changedError } from '../../shared/changed-error.ts'
import type { BrokerError } from '../../shared/errors.ts'
import { clientOption, ofConfigured } from './configured-client-failure.ts'

/** OAuth errors with which Dex refuses the subject token or the connector. */
const subjectErrors = new Set<string | undefined>(['access_denied', 'invalid_grant', 'invalid_request'])

/** The path of the option with the connector. */
const connectorOption = 'exchange.connectorId'

/**
 * Turns the failure of a token exchange into `forbidden` when Dex refused the subject token, and into `client_misconfigured` when only
 * the operator can correct it. In contrast to other grants a 401 can be about the subject token, and a 500 about an audience.
 */
export function ofExchange(order: TokenOrder, exchange: TokenExchange, failure: BrokerError): BrokerError {
  const { credentials } = order
  const { code, oauthError } = failure
  if (oauthError === 'server_error' && credentials.scope.includes(audienceScopePrefix)) {
    return misconfigured(failure, {
      hint: { problem: 'peer_does_not_trust_exchange', option: `${clientOption(credentials)}.audiences` },
    })
  }
  const isGrantUnknown = failure.hint?.problem === 'grant_not_supported'
  if (isGrantUnknown || (code === 'token_request_rejected' && oauthError === 'unauthorized_client')) {
    const hint = { problem: 'exchange_not_supported', option: clientOption(credentials) } as const
    return isGrantUnknown
      ? changedError(failure, { message: 'the token endpoint does not support token exchange', hint })
      : misconfigured(failure, { hint })
  }
  if (code !== 'token_request_rejected') return failure
  if (!subjectErrors.has(oauthError)) return ofConfigured(order, failure)
  const detail = exchange.connectorId
  return isAboutConnector(failure)
    ? misconfigured(failure, { hint: { problem: 'connector_not_usable', option: connectorOption, detail } })
    : changedError(failure, {
        code: 'forbidden',
        message: "the caller's token was not accepted for a token exchange",
        hint: { problem: 'subject_not_accepted', option: connectorOption, detail },
      })
}

function misconfigured(failure: BrokerError, changes: { readonly hint: BrokerError['hint'] }): BrokerError {
  return changedError(failure, {
    code: 'client_misconfigured',
    message: 'the configured token exchange was rejected',
    // Dex is well, and the next request would fail in the same way.
    transient: false,
    retryAfterMs: undefined,
    ...changes,
  })
}

/**
 * Dex uses the same error for a connector and for a subject token (`invalid_request`, RFC 8693 section 2.2.2). Only its
 * description tells them apart: "Requested connector does not exist.", "Connector not allowed for this client."
 */
function isAboutConnector({ oauthError, oauthErrorDescription = '' }: BrokerError): boolean {
  return oauthError !== 'access_denied' && /\bconnector\b/i.test(oauthErrorDescription)
}

/**
 * Whether a failure of an exchange concerns all users, and not one subject token. An unusable token can concern one user alone, for
 * example a user with too many groups.
 */
export function concernsAllUsers({ code, upstreamStatus, hint }: BrokerError): boolean {
  if (code === 'client_misconfigured') return true
  const isRefusedStatus = upstreamStatus !== undefined || hint?.problem === 'exchange_not_supported'
  return code === 'invalid_token_response' && isRefusedStatus
}
