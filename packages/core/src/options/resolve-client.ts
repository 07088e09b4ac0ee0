import type { ConfiguredClient } from '../clients/client.ts'
import { assertClientCredentials, scopeWithAudiences } from '../clients/client-credentials.ts'
import { extraParamsOf } from '../clients/extra-params.ts'
import { resourcesOf } from '../clients/resources.ts'
import { BrokerError } from '../shared/errors.ts'
import type { DefaultClient } from './broker-options.ts'
import { assertKnownNames, checked, strings } from './option-values.ts'
import { resolveAuthentication } from './resolve-authentication.ts'

/** The members of the option `client`, which a named client has as well. */
export const clientPartNames: { readonly [Name in keyof Required<DefaultClient>]: true } = {
  clientId: true,
  clientSecret: true,
  authentication: true,
  scope: true,
  audiences: true,
  resource: true,
  extraParams: true,
}

/** Validates the option `client`. */
export function resolveClient(options: DefaultClient): ConfiguredClient {
  assertKnownNames(options, Object.keys(clientPartNames), 'client.')
  return resolveClientParts(options, 'client')
}

/** Validates the parts of a client at the path of an option. */
export function resolveClientParts(options: DefaultClient, option: string): ConfiguredClient {
  const { clientId, clientSecret, scope, audiences, resource, extraParams } = options
  for (const [part, value] of Object.entries({ clientId, scope })) {
    checked(value, `${option}.${part}`, 'string')
  }
  if (typeof clientSecret !== 'function' && typeof (clientSecret ?? '') !== 'string') {
    throw new TypeError(`${option}.clientSecret must be a string or a function`)
  }
  const authentication = resolveAuthentication(options, option)
  const client = {
    // An empty part counts as absent: the request may bring its own.
    clientId: clientId || undefined,
    clientSecret: clientSecret || undefined,
    ...authentication,
    scope: scope || undefined,
    audiences: strings(audiences ?? [], `${option}.audiences`),
    resource: resourcesOf(resource ?? [], `${option}.resource`),
    extraParams: extraParamsOf(extraParams ?? {}, `${option}.extraParams`),
  }
  try {
    assertClientCredentials({
      clientId: client.clientId ?? 'the caller chooses',
      // A private key has its own limits.
      clientSecret:
        typeof client.clientSecret === 'string' && authentication?.authentication === undefined
          ? client.clientSecret
          : 'known later',
      scope: scopeWithAudiences(client.scope ?? '', client.audiences),
      configured: true,
    })
  } catch (error) {
    throw BrokerError.is(error) ? new TypeError(`${option}: ${error.message}`) : error
  }
  return client
}
