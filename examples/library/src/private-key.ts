// A client that signs an assertion in place of a secret; snippets of docs/library.md.
import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folder = mkdtempSync(path.join(tmpdir(), 'private-key-'))
const keyFile = path.join(folder, 'reports.pem')
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }))

/** A token endpoint that verifies the signature of the assertion. */
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const assertion = new URLSearchParams(Buffer.concat(chunks).toString()).get('client_assertion') ?? ''
  const [header, claims, signature = ''] = assertion.split('.')
  const input = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    input,
    Buffer.from(signature, 'base64url'),
  )
  response.writeHead(isSigned ? 200 : 401, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify(
      isSigned
        ? { access_token: 'example', token_type: 'Bearer', expires_in: 300 }
        : { error: 'invalid_client' },
    ),
  )
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const tokenEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`

// #region key
import { readFile } from 'node:fs/promises'
import { TokenBroker } from '@broker/core'

const broker = new TokenBroker({
  tokenEndpoint,
  client: {
    clientId: 'reports',
    authentication: {
      method: 'private_key_jwt',
      key: ({ signal }) => readFile(keyFile, { encoding: 'utf8', signal }),
    },
  },
})
// #endregion key
assert.equal((await broker.getToken()).accessToken, 'example')
console.log('the client got a token without a secret')

await broker.close()
server.close()
rmSync(folder, { recursive: true })
