import { type ConfiguredClient, canAuthenticate } from '../clients/client.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { BrokerError } from '../shared/errors.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { CredentialHeaderNames } from './credential-headers.ts'

type Part = 'clientId' | 'clientSecret'

/** The credentials that neither the configuration nor the request has; empty for almost every request. */
export function missingParts(
  configured: Pick<ConfiguredClient, Part | 'authentication'>,
  { clientId, clientSecret }: TokenRequest,
): readonly Part[] {
  const missing: Part[] = []
  if (configured.clientId === undefined && clientId === undefined) missing.push('clientId')
  if (!canAuthenticate(configured) && clientSecret === undefined) missing.push('clientSecret')
  return missing
}

interface Circumstances {
  readonly names: CredentialHeaderNames
  /** Whether the request has Basic credentials, of which a part is empty. */
  readonly isInBasic: boolean
  readonly surroundings: Surroundings
}

const words: Readonly<Record<Part, string>> = { clientId: 'client id', clientSecret: 'client secret' }

/** Creates the error for the caller and warns the operator: the usual cause is a proxy that does not forward the headers. */
export function missingCredentials(
  parts: readonly Part[],
  { names, isInBasic, surroundings: { sampler, logger, describeHint } }: Circumstances,
): BrokerError {
  if (isInBasic) {
    const empty = parts.map(part => words[part]).join(' and ')
    // The header has arrived, so nothing is wrong with the proxy.
    return new BrokerError('missing_credentials', `the Basic credentials in authorization have no ${empty}`)
  }
  const missing = parts.map(part => names[part])
  const headers = missing.join(' and ')
  const detail = names.basic === undefined ? headers : `${headers}, or ${names.basic} with Basic credentials,`
  sampler.note('missing_credentials', count => {
    const hint = describeHint({ problem: 'credentials_absent', option: 'credentialHeaders', detail })
    logger.warn(
      { code: 'missing_credentials', count, missing, hint },
      'requests without client credentials refused',
    )
  })
  const verb = missing.length === 1 ? 'is' : 'are'
  return loggedRefusal(new BrokerError('missing_credentials', `${detail} ${verb} missing`))
}
