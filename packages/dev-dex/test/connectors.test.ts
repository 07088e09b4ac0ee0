import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type DevDexOptions, startDevDex } from '../src/index.ts'
import { askExchange } from './exchange-request.ts'

const clients = [{ id: 'ci-pipeline', secret: 's3cr3t' }]
const user = { email: 'a@example.com', password: 'x', userID: 'u-1' }
const mock = { type: 'mockCallback', id: 'mock' } as const

describe('the connectors and users of the look-alike', () => {
  it.each<[string, DevDexOptions, string]>([
    ['a connector without an id', { connectors: [{ ...mock, id: '' }] }, 'a connector needs an id'],
    ['a connector that appears twice', { connectors: [mock, mock] }, '"mock" appears twice'],
    [
      'a second connector "local"',
      { connectors: [{ ...mock, id: 'local' }], users: [] },
      '"local" appears twice',
    ],
    ['a user without an email', { users: [{ ...user, email: '' }] }, 'a user needs an email'],
    ['a user without a password', { users: [{ ...user, password: '' }] }, '"a@example.com" needs a password'],
    [
      'a user who appears twice, in another letter case',
      { users: [user, { ...user, email: 'A@example.com' }] },
      '"a@example.com" appears twice',
    ],
  ])('cannot have %s', async (_, options, message) => {
    await expect(startDevDex(options)).rejects.toThrow(message)
  })

  it('say which issuer does not fit', async () => {
    await using upstream = await startDevDex({ issuer: 'https://dex.example.com' })
    const issuer = `http://127.0.0.1:${upstream.port}`
    await expect(startDevDex({ connectors: [{ type: 'oidc', id: 'staff', issuer }] })).rejects.toThrow(
      `has the issuer "https://dex.example.com" instead of "${issuer}"`,
    )
    upstream.setFault('discovery', { kind: 'html', status: 503 })
    await expect(startDevDex({ connectors: [{ type: 'oidc', id: 'staff', issuer }] })).rejects.toThrow(
      'answered 503 without a JSON object',
    )
  })

  it('go by the injected clock', async () => {
    await using upstream = await startDevDex({ idTokensMs: 60_000 })
    let now = Date.now()
    await using dex = await startDevDex({
      clients,
      now: () => now,
      connectors: [{ type: 'oidc', id: 'upstream', issuer: upstream.issuer }],
    })
    const token = upstream.userToken({ ...user, client: 'ci', username: 'A' })
    const status = async () =>
      (await askExchange(dex, { connector_id: 'upstream', subject_token: token })).status
    expect(await status()).toBe(200)
    now += 61_000
    expect(await status()).toBe(401)
  })

  it('leave their issuer alone once the look-alike is closed', async () => {
    const keysRequest = Promise.withResolvers<ServerResponse>()
    const upstream = createServer((request, response) => {
      if (request.url === '/keys') keysRequest.resolve(response)
      else response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }))
    })
    await once(upstream.listen(0, '127.0.0.1'), 'listening')
    const issuer = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const dex = await startDevDex({ clients, connectors: [{ type: 'oidc', id: 'upstream', issuer }] })
    const token = dex.signJwt({})
    const answer = askExchange(dex, { connector_id: 'upstream', subject_token: token })
    answer.catch(() => {})
    const left = once(await keysRequest.promise, 'close')
    await dex.close()
    await left
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' })
    upstream.close()
    upstream.closeAllConnections()
  })

  it('count exchanges that are refused or spoilt, and issue tokens only in the others', async () => {
    await using dex = await startDevDex({ clients })
    await askExchange(dex)
    await askExchange(dex, { connector_id: 'nosuch' })
    dex.setFault('token', { kind: 'html', forClient: id => id === 'ci-pipeline' })
    await askExchange(dex)
    expect(dex.counts).toMatchObject({ tokenRequests: 3, exchangeRequests: 3, tokensIssued: 1 })
    expect(dex.tokenRequests[0]?.form).toMatchObject({ connector_id: 'mock', subject_token: 'any' })
  })
})
