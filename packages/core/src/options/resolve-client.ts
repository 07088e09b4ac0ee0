import type { ConfiguredClient } from '../clients/client.ts'
import { assertClientCredentials, scopeWithAudiences } from '../clients/client-credentials.ts'
import { BrokerError } from '../shared/errors.ts'
import type { DefaultClient } from './broker-options.ts'
import { assertKnownNames, checked, strings } from './option-values.ts'

const names: { readonly [Name in keyof Required<DefaultClient>]: true } = {
  clientId: true,
  clientSecret: true,
  scope: true,
  audiences: true,
}

/** Validates the option `client`. */
export function resolveClient(options: DefaultClient): ConfiguredClient {
  assertKnownNames(options, Object.keys(names), 'client.')
  const { clientId, clientSecret, scope, audiences } = options
  for (const [part, value] of Object.entries({ clientId, clientSecret, scope })) {
    checked(value, `client.${part}`, 'string')
  }
  const client = {
    // An empty part counts as absent: the request may bring its own.
    clientId: clientId || undefined,
    clientSecret: clientSecret || undefined,
    scope: scope || undefined,
    audiences: strings(audiences ?? [], 'client.audiences'),
  }
  try {
    assertClientCredentials({
      clientId: client.clientId ?? 'the caller chooses',
      clientSecret: client.clientSecret ?? 'the caller chooses',
      scope: scopeWithAudiences(client.scope ?? '', client.audiences),
      configured: true,
    })
  } catch (error) {
    throw BrokerError.is(error) ? new TypeError(`client: ${error.message}`) : error
  }
  return client
}
