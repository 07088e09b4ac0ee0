// The secret is in a vault, which is asked over HTTP; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { clock, logger, rotateInBothOrders, startDex } from './story.ts'
import { startVault } from './vault.ts'

await using vault = await startVault('first-secret')
await using dex = await startDex('first-secret')
const { issuer } = dex
const { url: vaultUrl, token: vaultToken } = vault
const versions: number[] = []

// #region vault
import { type SecretSource, TokenBroker } from '@broker/core'

const clientSecret: SecretSource = async ({ signal }) => {
  const response = await fetch(vaultUrl, { headers: { 'x-vault-token': vaultToken }, signal })
  if (!response.ok) throw new Error(`the vault answered with status ${response.status}`)
  const { data } = (await response.json()) as VaultAnswer
  versions.push(data.metadata.version)
  return data.data.secret
}

interface VaultAnswer {
  readonly data: {
    readonly data: { readonly secret: string }
    readonly metadata: { readonly version: number }
  }
}
// #endregion vault

await using broker = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  clock,
  logger,
})

await rotateInBothOrders(broker, dex, async secret => vault.write(secret))
assert.equal(versions[0], 1)
assert.equal(versions.at(-1), 3)

console.log('the vault is sealed while its secret is needed again')
vault.sealed = true
broker.renewSecrets()
await broker.getToken({ scope: 'openid' })
assert.equal(dex.counts.tokensIssued, 5)
console.log('the secret in the vault rotated twice, and no token was lost')
