import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createCertificateAuthority, freePort, listening } from '@broker/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { createOwnKey } from '../support/own-key.ts'
import { startDex } from '../support/start-broker.ts'
import { doctor } from './run-in-process.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}

const client = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret', STATIC_SCOPE: 'groups' }
const gate = { JWT_AUDIENCE: 'shop' }

describe('a Dex that works', () => {
  test('passes every check, in a fixed order', async () => {
    await using dex = await startDex()
    const run = await doctor({ DEX_ISSUER: dex.issuer, ...client, ...gate })
    expect(run.verdicts).toEqual([
      'ok configuration',
      'ok connection 127.0.0.1:PORT',
      'ok discovery',
      'ok key set',
      'ok token endpoint',
      'ok grant',
      'ok clock',
      'ok token of default',
      'ok gate',
      'ok LISTEN_ADDR',
      'skipped GRPC_LISTEN_ADDR',
      'ok ADMIN_ADDR',
    ])
    expect(run.code).toBe(0)
  })

  test('says what the token of the configured client is for, and whether the gate would accept it', async () => {
    await using dex = await startDex()
    const { result } = await doctor({ DEX_ISSUER: dex.issuer, ...client, ...gate })
    const { fact } = result('token of default')
    expect(fact).toMatch(
      /^issued, expires in 24 h; aud orders; groups shop; kid [\da-f]{40}; the gate would refuse it/,
    )
    expect(fact).toContain('aud does not contain an expected audience')
  })

  test('shows neither the secret nor the token', async () => {
    await using dex = await startDex()
    const tokens: string[] = []
    dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => {
        tokens.push(JSON.parse(String(answer.body)).access_token)
        return answer
      },
    })
    const { text } = await doctor({ DEX_ISSUER: dex.issuer, ...client, ...gate })
    const issued = tokens.filter(Boolean)
    expect(issued).toHaveLength(1)
    for (const token of issued) for (const part of token.split('.')) expect(text).not.toContain(part)
    expect(text).not.toContain('orders-secret')
  })

  test('warns about a scope with groups when the client has none', async () => {
    await using dex = await startDex({ clients: [{ id: 'orders', secret: 'orders-secret' }] })
    const { code, result } = await doctor({ DEX_ISSUER: dex.issuer, ...client, ...gate })
    expect(result('groups of default')).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('clientCredentialsClaims.groups'),
    })
    expect(code).toBe(0)
  })

  test('warns about an opaque token', async () => {
    await using dex = await startDex()
    dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => ({
        ...answer,
        headers: { 'content-type': 'application/json' },
        body: String(answer.body).replace(/"access_token":"[^"]+"/, '"access_token":"opaque"'),
      }),
    })
    const { code, result } = await doctor({ DEX_ISSUER: dex.issuer, ...client, ...gate })
    expect(result('token of default')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining('opaque'),
    })
    expect(code).toBe(0)
  })

  test('names a token that no key of the key set verifies', async () => {
    await using dex = await startDex()
    await using other = await startDex()
    const { code, result } = await doctor({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_JWKS_URL: other.jwksUri,
      ...client,
    })
    expect(result('signature of default')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('its kid is not in the key set'),
      advice: expect.stringContaining('DEX_JWKS_URL'),
    })
    expect(code).toBe(1)
  })
})

describe('faults between the broker and Dex', () => {
  test('a wrong secret: names both variables', async () => {
    await using dex = await startDex()
    const { code, result } = await doctor({
      DEX_ISSUER: dex.issuer,
      ...client,
      ...gate,
      STATIC_CLIENT_SECRET: 'outdated',
    })
    const { verdict, fact, advice } = result('token of default')
    expect([code, verdict]).toEqual([1, 'failed'])
    expect(fact).toContain('invalid_client')
    expect(advice).toMatch(/STATIC_CLIENT_SECRET.*STATIC_CLIENT_ID/)
  })

  test('Dex without the grant: names the setting of Dex, with and without discovery', async () => {
    await using dex = await startDex({ grantTypes: ['authorization_code'] })
    for (const environment of [{ DEX_ISSUER: dex.issuer }, { DEX_TOKEN_URL: dex.tokenEndpoint }]) {
      const { code, result } = await doctor(environment)
      expect(result('grant')).toMatchObject({
        verdict: 'failed',
        fact: expect.stringContaining('unsupported_grant_type'),
        advice: expect.stringContaining('oauth2.grantTypes'),
      })
      expect(code).toBe(1)
    }
  })

  test('a wrong path in DEX_TOKEN_URL, and a trailing slash', async () => {
    await using dex = await startDex()
    for (const url of [dex.tokenEndpoint.replace('/dex', ''), `${dex.tokenEndpoint}/`]) {
      const { result } = await doctor({ DEX_TOKEN_URL: url })
      const { verdict, fact, advice } = result('token endpoint')
      expect(verdict).toBe('failed')
      expect(fact).toContain(`${url} is not a token endpoint: status 404, text/plain`)
      expect(advice).toMatch(/path of DEX_TOKEN_URL.*without a trailing slash/)
    }
  })

  test('a wrong path in DEX_ISSUER: names the URL of the document', async () => {
    await using dex = await startDex()
    const { result, verdicts } = await doctor({ DEX_ISSUER: dex.issuer.replace('/dex', '/oidc') })
    expect(result('discovery').fact).toMatch(
      /\/oidc\/\.well-known\/openid-configuration is not a discovery document: status 404/,
    )
    expect(result('discovery').advice).toContain('DEX_ISSUER')
    expect(verdicts).toContain('skipped token endpoint')
  })

  test('an issuer that differs: says how', async () => {
    await using dex = await startDex()
    await using external = await startDex({ issuer: 'https://dex.example.com/dex' })
    const slash = await doctor({ DEX_ISSUER: `${dex.issuer}/` })
    expect(slash.result('discovery')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('only the trailing slash is too much'),
      advice: `set DEX_ISSUER to exactly ${dex.issuer}`,
    })
    const internal = await doctor({ DEX_ISSUER: `http://127.0.0.1:${external.port}/dex` })
    expect(internal.result('discovery').fact).toContain('the host differs')
    expect(internal.result('discovery').advice).toMatch(
      /set DEX_ISSUER to exactly https:\/\/dex\.example\.com\/dex; .*DEX_TOKEN_URL and DEX_JWKS_URL/,
    )
  })

  test('nothing listens: names the variable that was set', async () => {
    const port = await freePort()
    const issuer = await doctor({ DEX_ISSUER: `http://127.0.0.1:${port}/dex` })
    expect(issuer.result('connection')).toMatchObject({
      verdict: 'failed',
      fact: 'refused: nothing listens there (ECONNREFUSED)',
      advice: expect.stringContaining('DEX_ISSUER'),
    })
    expect(issuer.code).toBe(1)
    const tokenUrl = await doctor({ DEX_TOKEN_URL: `http://127.0.0.1:${port}/dex/token` })
    expect(tokenUrl.result('connection').advice).toContain('DEX_TOKEN_URL')
  })

  test('Dex slower than HTTP_TIMEOUT: names the limit', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    const { result } = await doctor({ DEX_ISSUER: dex.issuer, HTTP_TIMEOUT: '200ms' })
    expect(result('token endpoint')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('did not answer within 200 ms'),
      advice: expect.stringContaining('HTTP_TIMEOUT'),
    })
  })

  test('a host name that does not resolve', async () => {
    const { result, verdicts } = await doctor({ DEX_ISSUER: 'https://dex.invalid/dex', HTTP_TIMEOUT: '2s' })
    expect(result('name dex.invalid')).toMatchObject({
      verdict: 'failed',
      advice: 'check the host name in DEX_ISSUER: it does not resolve',
    })
    expect(verdicts.filter(each => each.includes('connection'))).toEqual([])
  })

  test('a proxy that answers 502 for a dead Dex', async () => {
    await using proxy = await listening(
      createServer((_, response) => response.writeHead(502).end('<html>bad gateway')),
    )
    const { result } = await doctor({ DEX_ISSUER: `${proxy.url}/dex` })
    expect(result('discovery')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('status 502'),
      advice: expect.stringContaining('the proxy at DEX_ISSUER cannot reach it'),
    })
    const token = await doctor({ DEX_TOKEN_URL: `${proxy.url}/dex/token` })
    expect(token.result('token endpoint').advice).toContain('the proxy at DEX_TOKEN_URL cannot reach it')
  })

  test('a key set that is not there', async () => {
    await using dex = await startDex()
    const { result } = await doctor({
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_JWKS_URL: `${dex.issuer}/nowhere`,
    })
    expect(result('key set')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('status 404'),
      advice: expect.stringContaining('DEX_JWKS_URL'),
    })
  })

  test('keys that cannot be used: how many, which and why', async () => {
    await using dex = await startDex()
    const { keys } = JSON.parse(createOwnKey('ES256').keySet)
    const weak = JSON.parse(createOwnKey('RS256', { modulusLength: 1_024 }).keySet).keys[0]
    const body = JSON.stringify({
      keys: [...keys, { ...weak, kid: 'weak' }, { kty: 'oct', k: 'AAAA', kid: 'shared' }],
    })
    dex.setFault('keys', { kind: 'answer', status: 200, headers: {}, body })
    const { result } = await doctor({ DEX_ISSUER: dex.issuer })
    expect(result('key set').fact).toBe('1 usable key: own (ES256)')
    expect(result('unusable keys')).toMatchObject({
      verdict: 'warning',
      fact: '2 ignored: weak: it does not have 2048 to 8192 bits, shared: its type is not RSA or EC',
    })
  })

  test('an Ed25519 key is usable when JWT_ALGORITHMS has EdDSA, and unusable otherwise', async () => {
    await using dex = await startDex()
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
    const body = JSON.stringify({ keys: [{ ...jwk, kid: 'edwards', alg: 'EdDSA' }] })
    dex.setFault('keys', { kind: 'answer', status: 200, headers: {}, body })
    const gate = { DEX_ISSUER: dex.issuer, JWT_AUDIENCE: 'orders', STATIC_CLIENT_ID: 'orders' }
    const accepting = await doctor({ ...gate, JWT_ALGORITHMS: 'EdDSA' })
    expect(accepting.result('key set').fact).toBe('1 usable key: edwards (EdDSA)')
    const usual = await doctor(gate)
    expect(usual.result('key set')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('its type is not RSA or EC'),
      advice: expect.stringContaining('JWT_ALGORITHMS'),
    })
  })

  test('a misspelt variable', async () => {
    const { text } = await doctor({ DEX_TOKEN_URl: 'http://127.0.0.1:1/token', HTTP_TIMEOUT: '1s' })
    expect(text).toMatch(/^warning configuration: .*did you mean.*DEX_TOKEN_URL/m)
  })
})

describe('clocks', () => {
  const serverAhead = (ms: number) =>
    listening(
      createServer((_, response) => {
        response.sendDate = false
        response.writeHead(401, { date: new Date(Date.now() + ms).toUTCString() })
        response.end('{"error":"invalid_client"}')
      }),
    )

  test('fail from 30 seconds, and warn from 2, in both directions', async () => {
    const verdictOf = async (ms: number) => {
      await using server = await serverAhead(ms)
      return (await doctor({ DEX_TOKEN_URL: `${server.url}/token` })).result('clock')
    }
    expect(await verdictOf(0)).toMatchObject({ verdict: 'ok' })
    // Within the second that Date names.
    expect(await verdictOf(900)).toMatchObject({ verdict: 'ok' })
    expect(await verdictOf(5_000)).toMatchObject({
      verdict: 'warning',
      fact: expect.stringMatching(/behind the server/),
    })
    expect(await verdictOf(-700_000)).toMatchObject({
      verdict: 'failed',
      fact: 'this host is at least 12 min ahead of the server',
      advice: expect.stringContaining('correct the clock of this host'),
    })
    expect(await verdictOf(700_000)).toMatchObject({
      verdict: 'failed',
      fact: expect.stringMatching(/behind/),
    })
  })
})

describe('certificates', () => {
  const authority = createCertificateAuthority('Company CA')
  const caFile = fileWith('ca.crt', authority.cert)

  test('of a known authority pass, with their end', async () => {
    await using dex = await startDex({ tls: authority.issue('127.0.0.1') })
    const { result } = await doctor({ DEX_ISSUER: dex.issuer, DEX_CA_FILE: caFile, ...client, ...gate })
    expect(result('TLS')).toMatchObject({
      verdict: 'ok',
      fact: expect.stringMatching(/^TLSv1\.3, expires in \d+ days, on 2049-01-01, issued by "Company CA"$/),
    })
    expect(result('token of default').verdict).toBe('ok')
  })

  test('of an unknown authority: names the authority and DEX_CA_FILE', async () => {
    await using dex = await startDex({ tls: authority.issue('127.0.0.1') })
    const { code, result, verdicts } = await doctor({ DEX_ISSUER: dex.issuer })
    expect(result('TLS')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringMatching(/CA "Company CA" is unknown here \(UNABLE_TO_/),
      advice: 'add the certificate of the CA "Company CA" to DEX_CA_FILE',
    })
    expect(verdicts).toContain('skipped discovery')
    expect(code).toBe(1)
  })

  test('for another host: names the hosts of the certificate', async () => {
    await using dex = await startDex({ tls: authority.issue('dex.example.com') })
    const { result } = await doctor({ DEX_ISSUER: dex.issuer, DEX_CA_FILE: caFile })
    expect(result('TLS')).toMatchObject({
      verdict: 'failed',
      fact: 'the certificate is for dex.example.com, not for 127.0.0.1 (ERR_TLS_CERT_ALTNAME_INVALID)',
      advice: expect.stringContaining('DEX_ISSUER'),
    })
  })

  test('that have expired, and those that soon will', async () => {
    const expired = authority.issueFor({
      hosts: ['127.0.0.1'],
      validTo: new Date(Date.now() - 3 * 86_400_000),
    })
    const soon = authority.issueFor({
      hosts: ['127.0.0.1'],
      validTo: new Date(Date.now() + 5.5 * 86_400_000),
    })
    await using dead = await startDex({ tls: expired })
    const failure = await doctor({ DEX_ISSUER: dead.issuer, DEX_CA_FILE: caFile })
    expect(failure.result('TLS')).toMatchObject({
      verdict: 'failed',
      fact: expect.stringMatching(/"127\.0\.0\.1" expired [34] days ago/),
      advice: expect.stringContaining('renew the certificate'),
    })
    await using ending = await startDex({ tls: soon })
    const warned = await doctor({ DEX_ISSUER: ending.issuer, DEX_CA_FILE: caFile })
    expect(warned.result('TLS')).toMatchObject({
      verdict: 'warning',
      fact: expect.stringContaining('expires in 5 days'),
    })
    expect(warned.code).toBe(0)
  })

  test('a port without TLS', async () => {
    await using dex = await startDex()
    const { result } = await doctor({ DEX_ISSUER: dex.issuer.replace('http:', 'https:') })
    expect(result('TLS')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('change DEX_ISSUER to http'),
    })
  })

  test('a TLS port that is asked in plain HTTP', async () => {
    await using server = await listening(
      createTlsServer(authority.issue('127.0.0.1'), (_, response) => response.end()),
    )
    const { result } = await doctor({ DEX_ISSUER: `http://127.0.0.1:${server.port}/dex` })
    expect(result('discovery').verdict).toBe('failed')
    expect(result('discovery').advice).toMatch(/https|closed/)
  })
})
