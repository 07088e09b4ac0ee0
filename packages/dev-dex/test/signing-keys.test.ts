import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevDex, startDevDex } from '../src/index.ts'
import { requestTokens } from './request-tokens.ts'
import { sendRequest } from './send-request.ts'

const client = ['ci', 's3cr3t'] as const

describe('the signing keys', () => {
  let dex: DevDex
  const publishedKeys = async () => JSON.parse((await sendRequest(dex.jwksUri)).body)
  const isActive = async (token: string) =>
    (await sendRequest(dex.introspectionEndpoint, { body: { token } })).body.startsWith('{"active":true')

  beforeEach(async () => {
    dex = await startDevDex({ clients: [{ id: 'ci', secret: 's3cr3t' }] })
  })
  afterEach(() => dex.close())

  it('rotate: the new key signs at once, and old tokens stay good until their key is retired', async () => {
    const oldKid = dex.currentKid
    const { accessToken } = await requestTokens(dex, client)
    await dex.rotateKeys()
    expect(dex.currentKid).not.toBe(oldKid)
    expect((await requestTokens(dex, client)).accessToken.header['kid']).toBe(dex.currentKid)
    const kids = (await publishedKeys()).keys.map(({ kid }: { kid: string }) => kid)
    expect(kids).toEqual([dex.currentKid, oldKid])
    expect(dex.publishedKids).toEqual(kids)
    expect(await isActive(accessToken.jwt)).toBe(true)
    dex.retireKey(oldKid)
    expect(dex.publishedKids).toEqual([dex.currentKid])
    expect(await isActive(accessToken.jwt)).toBe(false)
    expect(() => dex.retireKey(dex.currentKid)).toThrow('rotate first')
  })

  it('all die in a restart, and every older token with them', async () => {
    const { accessToken } = await requestTokens(dex, client)
    const oldKid = dex.currentKid
    await dex.rotateKeys()
    await dex.restart()
    expect(dex.publishedKids).toHaveLength(1)
    expect(dex.publishedKids).not.toContain(oldKid)
    expect(await isActive(accessToken.jwt)).toBe(false)
    const headers = { authorization: `Bearer ${accessToken.jwt}` }
    expect((await sendRequest(dex.userinfoEndpoint, { headers })).status).toBe(403)
  })

  it('switch to ES256 beside the old RS256 key, while discovery is stale until a restart', async () => {
    const advertised = async () =>
      JSON.parse((await sendRequest(dex.discoveryUri)).body).id_token_signing_alg_values_supported
    await dex.rotateKeys('ES256')
    expect((await requestTokens(dex, client)).accessToken.header['alg']).toBe('ES256')
    expect((await publishedKeys()).keys.map(({ alg }: { alg: string }) => alg)).toEqual(['ES256', 'RS256'])
    expect(await advertised()).toEqual(['RS256'])
    await dex.restart()
    expect(await advertised()).toEqual(['ES256'])
  })

  it('sign any JWT, good ones and ones whose header lies', async () => {
    const keys = createLocalJWKSet(await publishedKeys())
    const good = dex.signJwt({ iss: dex.issuer, sub: 'me', groups: ['a'] })
    expect((await jwtVerify(good, keys)).payload).toEqual({ iss: dex.issuer, sub: 'me', groups: ['a'] })
    expect(decodeProtectedHeader(good)).toEqual({ alg: 'RS256', kid: dex.currentKid })

    const lying = dex.signJwt('not JSON', { alg: 'HS256', kid: 'other', header: { typ: 'at+jwt' } })
    expect(decodeProtectedHeader(lying)).toEqual({ alg: 'HS256', kid: 'other', typ: 'at+jwt' })
    expect(Buffer.from(lying.split('.')[1] ?? '', 'base64url').toString()).toBe('not JSON')

    const unsigned = dex.signJwt({ sub: 'me' }, { alg: 'none', kid: null })
    expect(unsigned).toMatch(/\.$/)
    expect(decodeProtectedHeader(unsigned)).toEqual({ alg: 'none' })
  })

  it.each([
    ['of another issuer', { iss: 'http://127.0.0.1:1/dex' }],
    ['that has expired', { exp: 1 }],
    ['without an expiry', { exp: undefined }],
    ['that is not valid for ten minutes yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
  ])('do not make a token good %s', async (_, change) => {
    const claims = { iss: dex.issuer, aud: 'ci', exp: Math.floor(Date.now() / 1000) + 60 }
    expect(await isActive(dex.signJwt({ ...claims, ...change }))).toBe(false)
    expect(await isActive(dex.signJwt(claims))).toBe(true)
  })
})
