import { type DexConnector, localConnectorId } from './dex-connector.ts'
import { type DexUser, indexDexUsers } from './dex-user.ts'
import { openLocalConnector } from './local-connector.ts'
import { mockCallbackConnector } from './mock-callback-connector.ts'
import { openOidcConnector } from './oidc-connector.ts'
import type { OpenConnector } from './open-connector.ts'
import type { UpstreamSurroundings } from './upstream-issuer.ts'

function openConnector(connector: DexConnector, surroundings: UpstreamSurroundings) {
  return connector.type === 'oidc' ? openOidcConnector(connector, surroundings) : mockCallbackConnector
}

/**
 * Opens connectors by id, and `local` when there is a list of users.
 *
 * Rejects for a connector without an id, for two with the same one, and, as Dex does, for an `oidc` provider
 * that does not answer or has another issuer.
 */
export async function openConnectors(
  connectors: readonly DexConnector[],
  users: readonly DexUser[] | undefined,
  surroundings: UpstreamSurroundings,
): Promise<ReadonlyMap<string, OpenConnector>> {
  const byId = new Map<string, OpenConnector>()
  if (users !== undefined) byId.set(localConnectorId, openLocalConnector(indexDexUsers(users)))
  for (const connector of connectors) {
    const { id, grantTypes } = connector
    if (id === '') throw new TypeError('connectors: a connector needs an id')
    if (byId.has(id)) throw new TypeError(`connectors: the id "${id}" appears twice`)
    byId.set(id, { ...(await openConnector(connector, surroundings)), grantTypes })
  }
  return byId
}
