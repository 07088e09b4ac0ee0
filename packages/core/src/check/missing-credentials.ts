import type { ConfiguredClient } from '../clients/client.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { CredentialHeaderNames } from './credential-headers.ts'

/** The headers of the credentials that neither the configuration nor the request has; empty for almost every request. */
export function missingHeaders(
  configured: Pick<ConfiguredClient, 'clientId' | 'clientSecret'>,
  { clientId, clientSecret }: TokenRequest,
  names: CredentialHeaderNames,
): readonly string[] {
  const missing: string[] = []
  if (configured.clientId === undefined && clientId === undefined) missing.push(names.clientId)
  if (configured.clientSecret === undefined && clientSecret === undefined) missing.push(names.clientSecret)
  return missing
}

/** Creates the error for the caller and warns the operator: the usual cause is a proxy that does not forward the headers. */
export function missingCredentials(
  missing: readonly string[],
  { sampler, logger, describeHint }: Surroundings,
): BrokerError {
  const detail = missing.join(' and ')
  sampler.note('missing_credentials', count => {
    const hint = describeHint({ problem: 'credentials_absent', option: 'credentialHeaders', detail })
    logger.warn({ count, missing, hint }, 'requests without client credentials refused')
  })
  return new BrokerError('missing_credentials', `${detail} ${missing.length === 1 ? 'is' : 'are'} missing`)
}
