// A Dex behind a private CA, with a client certificate; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { BrokerError } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { testIdentity } from './test-identity.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'own-transport-'))
const caFile = path.join(folder, 'ca.pem')
const certFile = path.join(folder, 'cert.pem')
const keyFile = path.join(folder, 'key.pem')
for (const file of [caFile, certFile]) writeFileSync(file, testIdentity.cert)
writeFileSync(keyFile, testIdentity.key)

const clientSecret = 'reports-secret'
await using dex = await startDevDex({ tls: testIdentity, clients: [{ id: 'reports', secret: clientSecret }] })
const { issuer } = dex

// #region transport
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { TokenBroker } from '@broker/core'
import { undiciTransport } from '@broker/core/undici'
import { Agent } from 'undici'

const dispatcher = new Agent({
  connect: {
    ca: [...rootCertificates, readFileSync(caFile, 'utf8')], // a private CA
    cert: readFileSync(certFile, 'utf8'), // mTLS only
    key: readFileSync(keyFile, 'utf8'),
  },
})
const broker = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  transport: undiciTransport(dispatcher),
})
// #endregion transport
assert.equal((await broker.getToken()).tokenType, 'Bearer')
const plain = new TokenBroker({ issuer, client: { clientId: 'reports', clientSecret } })
await assert.rejects(
  plain.getToken(),
  error => BrokerError.is(error) && error.hint?.problem === 'certificate_not_trusted',
)
console.log('the broker with the CA got a token, the one without it did not')

await broker.close()
await plain.close()
await dispatcher.close()
rmSync(folder, { recursive: true })
