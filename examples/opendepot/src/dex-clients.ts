import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

interface StaticClient {
  readonly id: string
  readonly name: string
  readonly trustedPeers?: readonly string[]
  readonly clientCredentialsClaims?: { readonly groups: readonly string[] }
}

const dexFile = parse(await readFile(new URL('../dex.yaml', import.meta.url), 'utf8')) as {
  readonly staticClients: readonly StaticClient[]
}
/** The static clients of `dex.yaml`, each with a secret. */
export const clients = dexFile.staticClients.map(
  ({ clientCredentialsClaims, id, name, trustedPeers = [] }) => ({
    id,
    name,
    secret: `${id}-secret`,
    trustedPeers,
    groups: clientCredentialsClaims?.groups ?? [],
  }),
)
const clientOf = (id: string) => clients.find(client => client.id === id) ?? assert.fail(id)
export const ci = clientOf('ci-pipeline')
export const opendepot = clientOf('opendepot')
export const dashboard = clientOf('dashboard')
