import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small HTTP server in the role of a vault. It has the versions of one secret. */
export interface Vault extends AsyncDisposable {
  readonly url: string
  /** The value of the header `x-vault-token` that may read the secret. */
  readonly token: string
  /** While it is sealed, the vault answers 503. */
  sealed: boolean
  /** Adds a version of the secret. */
  write(secret: string): void
}

export async function startVault(first: string): Promise<Vault> {
  const versions = [first]
  const server = createServer((request, response) => {
    if (vault.sealed) return response.writeHead(503).end()
    if (request.headers['x-vault-token'] !== vault.token) return response.writeHead(403).end()
    const answer = { data: { data: { secret: versions.at(-1) }, metadata: { version: versions.length } } }
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const vault: Vault = {
    url: `http://127.0.0.1:${port}/v1/secret/data/reports`,
    token: 'a-token-for-the-vault',
    sealed: false,
    write: secret => void versions.push(secret),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return vault
}
