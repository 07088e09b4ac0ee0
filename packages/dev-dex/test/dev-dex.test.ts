import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get, type RequestOptions } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needs } from '@broker/testing/vitest'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { encodeDexSubject, startDevDex } from '../src/index.ts'
import { requestTokens } from './request-tokens.ts'
import { basic, sendRequest } from './send-request.ts'

const clients = [{ id: 'ci', secret: 's3cr3t' }]
const tokenRequest = {
  headers: { authorization: basic('ci', 's3cr3t'), 'x-trace': 't-1' },
  body: { grant_type: 'client_credentials', scope: 'openid a b' },
}

const lacksOpenssl = spawnSync('openssl', ['version']).error !== undefined

describe('the look-alike', () => {
  it('rejects with EADDRINUSE when its port is taken', async () => {
    await using first = await startDevDex()
    await expect(startDevDex({ port: first.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('comes back at the same port after it was closed', async () => {
    const first = await startDevDex({ clients })
    const { port, issuer, currentKid } = first
    await first.close()
    await expect(sendRequest(first.jwksUri)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await using second = await startDevDex({ clients, port })
    expect(second.issuer).toBe(issuer)
    expect(second.currentKid).not.toBe(currentKid)
  })

  it('closes at once with an idle connection, and may be closed twice', async () => {
    const dex = await startDevDex()
    const socket = connect(dex.port, '127.0.0.1')
    await once(socket, 'connect')
    const ended = once(socket, 'close')
    socket.on('error', () => {})
    await dex.close()
    await ended
    await dex.close()
  })

  it('keeps connections open between requests', async () => {
    await using dex = await startDevDex()
    const socket = connect(dex.port, '127.0.0.1')
    for (let round = 0; round < 2; round += 1) {
      socket.write('GET /dex/healthz HTTP/1.1\r\nHost: dex\r\n\r\n')
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(chunk.toString()).not.toMatch(/^(connection|keep-alive):/im)
    }
    socket.destroy()
  })

  it('records token requests and counts every kind until the records are reset', async () => {
    await using dex = await startDevDex({ clients })
    await sendRequest(dex.tokenEndpoint, tokenRequest)
    expect(dex.tokenRequests).toEqual([
      {
        method: 'POST',
        headers: expect.objectContaining({ 'x-trace': 't-1', authorization: basic('ci', 's3cr3t') }),
        form: { grant_type: 'client_credentials', scope: 'openid a b' },
      },
    ])
    await requestTokens(dex, ['ci', 's3cr3t'], { scope: 'openid' })
    await sendRequest(dex.discoveryUri)
    await sendRequest(dex.tokenEndpoint, {
      body: { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' },
    })
    expect(dex.counts).toEqual({
      tokenRequests: 3,
      exchangeRequests: 1,
      keysRequests: 2,
      discoveryRequests: 1,
      tokensIssued: 1,
    })
    dex.resetRecords()
    expect(dex.counts).toEqual({
      tokenRequests: 0,
      exchangeRequests: 0,
      keysRequests: 0,
      discoveryRequests: 0,
      tokensIssued: 0,
    })
    expect(dex.tokenRequests).toEqual([])
  })

  it('can have its grant switched off and on, in discovery too', async () => {
    await using dex = await startDevDex({ clients })
    const granted = async () => JSON.parse((await sendRequest(dex.discoveryUri)).body).grant_types_supported
    const ask = { ...tokenRequest, body: { grant_type: 'client_credentials' } }
    dex.clientCredentialsEnabled = false
    expect(await granted()).not.toContain('client_credentials')
    expect(await sendRequest(dex.tokenEndpoint, ask)).toMatchObject({
      status: 400,
      body: '{"error":"unsupported_grant_type"}',
    })
    dex.clientCredentialsEnabled = true
    expect(await granted()).toContain('client_credentials')
    expect((await sendRequest(dex.tokenEndpoint, ask)).status).toBe(200)
  })

  it('can give a client another secret while it runs', async () => {
    await using dex = await startDevDex({ clients })
    const ask = { ...tokenRequest, body: { grant_type: 'client_credentials' } }
    dex.setClientSecret('ci', 'other')
    expect((await sendRequest(dex.tokenEndpoint, ask)).status).toBe(401)
    dex.setClientSecret('ci', 's3cr3t')
    expect((await sendRequest(dex.tokenEndpoint, ask)).status).toBe(200)
    expect(() => dex.setClientSecret('nobody', 'other')).toThrow('there is no client "nobody"')
    expect(() => dex.setClientSecret('ci', '')).toThrow('client "ci" needs a secret')
  })

  it('goes by the injected clock and by a lifetime that may change', async () => {
    let now = 1_700_000_000_900
    await using dex = await startDevDex({ clients, now: () => now, idTokensMs: 60_000 })
    const { accessToken } = await requestTokens(dex, ['ci', 's3cr3t'])
    expect(accessToken.claims).toMatchObject({ iat: 1_700_000_000, exp: 1_700_000_060 })
    const introspect = { body: { token: accessToken.jwt } }
    expect((await sendRequest(dex.introspectionEndpoint, introspect)).body).toContain('"active":true')
    now += 61_000
    expect((await sendRequest(dex.introspectionEndpoint, introspect)).body).toBe('{"active":false}\n')
    dex.idTokensMs = 1500
    const ask = { ...tokenRequest, body: { grant_type: 'client_credentials' } }
    const { expires_in: expiresIn, access_token: jwt } = JSON.parse(
      (await sendRequest(dex.tokenEndpoint, ask)).body,
    )
    expect(expiresIn).toBe(1)
    expect(decodeJwt(jwt).exp).toBe(1_700_000_063)
  })

  it('may claim another issuer than the URL that it is reached by', async () => {
    await using dex = await startDevDex({ clients, issuer: 'https://dex.example.com/auth' })
    expect(dex.tokenEndpoint).toBe(`http://127.0.0.1:${dex.port}/auth/token`)
    const discovery = JSON.parse((await sendRequest(dex.discoveryUri)).body)
    expect(discovery).toMatchObject({
      issuer: 'https://dex.example.com/auth',
      token_endpoint: 'https://dex.example.com/auth/token',
    })
    const { accessToken } = await requestTokens(dex, ['ci', 's3cr3t'])
    expect(accessToken.claims['iss']).toBe('https://dex.example.com/auth')
  })

  it('answers a token of a client that is gone with a server error', async () => {
    await using dex = await startDevDex({ clients })
    const token = dex.signJwt({ iss: dex.issuer, aud: 'gone', exp: Math.floor(Date.now() / 1000) + 60 })
    expect(await sendRequest(dex.introspectionEndpoint, { body: { token } })).toMatchObject({
      status: 500,
      body: '{"error":"server_error"}',
    })
  })

  it.each([
    ['without a secret', [{ id: 'a' }], '"a" needs a secret'],
    ['without an id', [{ id: '', secret: 'x' }], 'needs an id'],
    ['that appears twice', [...clients, ...clients], '"ci" appears twice'],
  ])('refuses a client %s', async (_, wrong, message) => {
    await expect(startDevDex({ clients: wrong })).rejects.toThrow(message)
  })

  it('speaks HTTPS with the certificate that it is given', needs({ openssl: !lacksOpenssl }), async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dev-dex-'))
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const subject = ['-subj', '/CN=dev-dex', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    )
    const tls = { key: readFileSync(key), cert: readFileSync(cert) }
    rmSync(directory, { recursive: true })
    await using dex = await startDevDex({ tls })
    expect(dex.issuer).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/dex$/)
    const options: RequestOptions = { ca: tls.cert, agent: false }
    const [response] = await once(get(dex.jwksUri, options), 'response')
    expect(response.statusCode).toBe(200)
    response.resume()
    await expect(once(get(dex.jwksUri, { agent: false }), 'response')).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    dex.setFault('keys', { kind: 'reset' })
    await expect(once(get(dex.jwksUri, options), 'response')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it.each([
    ['ci-pipeline', '', 'CgtjaS1waXBlbGluZQ'],
    ['0-385-28089-0', 'mock', 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'],
    [
      '08a8684b-db88-4b73-90a9-3cd1661f5466',
      'local',
      'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs',
    ],
  ])('encodes the subject of %s at the connector "%s"', (userId, connectorId, subject) => {
    expect(encodeDexSubject(userId, connectorId)).toBe(subject)
  })
})
