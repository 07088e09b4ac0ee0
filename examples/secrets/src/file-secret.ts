// The secret is in a file, as Kubernetes mounts one; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { clock, logger, rotateInBothOrders, startDex } from './story.ts'

const folder = await mkdtemp(path.join(tmpdir(), 'secrets-'))
const secretFile = path.join(folder, 'client-secret')

/** Replaces the file as a whole, so that nobody reads half of it. */
async function store(secret: string): Promise<void> {
  await writeFile(`${secretFile}.new`, `${secret}\n`)
  await rename(`${secretFile}.new`, secretFile)
}

await store('first-secret')
await using dex = await startDex('first-secret')
const { issuer } = dex

// #region file
import { readFile } from 'node:fs/promises'
import { type SecretSource, TokenBroker } from '@broker/core'

const clientSecret: SecretSource = async ({ signal }) => {
  const text = await readFile(secretFile, { encoding: 'utf8', signal })
  return text.trimEnd()
}
// #endregion file

await using broker = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  clock,
  logger,
})

await rotateInBothOrders(broker, dex, store)
assert.equal(dex.counts.tokensIssued, 4)
await rm(folder, { recursive: true })
console.log('the secret in the file rotated twice, and no token was lost')
