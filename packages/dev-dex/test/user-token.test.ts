import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { encodeDexSubject, startDevDex } from '../src/index.ts'
import { admin, conformanceUsers } from './conformance-users.ts'
import { requestTokens } from './request-tokens.ts'
import { sendRequest } from './send-request.ts'

const clients = [{ id: 'ci', secret: 's3cr3t' }]

describe('a user token that is signed without a request', () => {
  it('is what the user would get for a password', async () => {
    await using dex = await startDevDex({ clients, users: conformanceUsers, passwordConnector: 'local' })
    const scope = 'openid profile email groups federated:id'
    const { accessToken } = await requestTokens(dex, ['ci', 's3cr3t'], {
      grant_type: 'password',
      username: admin.email,
      password: admin.password,
      nonce: 'n-1',
      scope,
    })
    const token = dex.userToken({ ...admin, client: 'ci', scope, nonce: 'n-1' })
    expect(decodeProtectedHeader(token)).toEqual(accessToken.header)
    expect(Object.keys(decodeJwt(token))).toEqual(Object.keys(accessToken.claims))
    expect(decodeJwt(token)).toEqual({
      ...accessToken.claims,
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      at_hash: expect.any(String),
    })
    expect(token).not.toContain(admin.password)
  })

  it('may be of any connector, client and peer, and has the claims of the usual scopes', async () => {
    await using dex = await startDevDex({ now: () => 1_700_000_000_000, idTokensMs: 60_000 })
    const user = { userID: '42', email: 'octo@example.com', username: 'Octo', groups: ['org:team'] }
    const unknown = { client: 'unknown', connector: 'github' }
    expect(decodeJwt(dex.userToken({ ...user, ...unknown }))).toEqual({
      iss: dex.issuer,
      sub: encodeDexSubject('42', 'github'),
      aud: 'unknown',
      exp: 1_700_000_060,
      iat: 1_700_000_000,
      jti: expect.any(String),
      at_hash: expect.any(String),
      email: 'octo@example.com',
      email_verified: true,
      groups: ['org:team'],
      name: 'Octo',
    })
    const forPeer = dex.userToken({ ...user, ...unknown, scope: 'audience:server:client_id:orders' })
    expect(decodeJwt(forPeer)).toMatchObject({ aud: ['orders', 'unknown'], azp: 'unknown' })
  })

  it('is signed by the current key, active, and no request', async () => {
    await using dex = await startDevDex({ clients })
    await dex.rotateKeys()
    const token = dex.userToken({ client: 'ci', userID: 'u-1' })
    expect(dex.counts).toMatchObject({ tokenRequests: 0, tokensIssued: 0 })
    const keys = createLocalJWKSet(JSON.parse((await sendRequest(dex.jwksUri)).body))
    expect((await compactVerify(token, keys)).protectedHeader).toEqual({ alg: 'RS256', kid: dex.currentKid })
    const { body } = await sendRequest(dex.introspectionEndpoint, { body: { token } })
    expect(body).toContain('"active":true,"client_id":"ci"')
  })
})
