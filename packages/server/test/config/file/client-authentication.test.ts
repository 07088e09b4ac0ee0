import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createCertificateAuthority, MountedVolume } from '@broker/testing'
import { describe, expect, it, test } from 'vitest'
import { describeConfig } from '../../../src/config/describe-config.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { doctor } from '../../doctor/run-in-process.ts'
import { startReloadingBroker } from '../../reload/start-reloading-broker.ts'
import { faultsOf } from '../faults-of.ts'
import { ConfigFolder } from './config-folder.ts'

const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString()
const [first, second] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) as [
  KeyObject,
  KeyObject,
]
const authority = createCertificateAuthority()
const clientOf = (authentication: string, more = '') =>
  `clients:\n  - { name: reports, clientId: reports, authentication: { ${authentication} }${more} }\n`
const rule = "rules: [{ name: all, when: 'true', client: reports }]\n"

/** A token endpoint that accepts every client with an assertion or a certificate, and records how each one proves its identity. */
async function startTokenEndpoint(tls?: object) {
  const forms: URLSearchParams[] = []
  const certificates: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const certificate = (request.socket as TLSSocket).getPeerX509Certificate?.()?.toString() ?? ''
    response.setHeader('content-type', 'application/json')
    if (!form.has('client_assertion') && certificate === '') {
      response.writeHead(401).end('{"error":"invalid_client"}')
      return
    }
    forms.push(form)
    certificates.push(certificate)
    response.end(JSON.stringify({ access_token: `t${forms.length}`, token_type: 'Bearer', expires_in: 40 }))
  }
  const server = tls === undefined ? createPlainServer(answer) : createTlsServer(tls, answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    tokenEndpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/token`,
    forms,
    certificates,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function isSignedBy(key: KeyObject, form: URLSearchParams | undefined): boolean {
  const [header = '', claims = '', signature = ''] = (form?.get('client_assertion') ?? '').split('.')
  const input = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.from(`${header}.${claims}`), input, Buffer.from(signature, 'base64url'))
}

const open = { ALLOW_UNAUTHENTICATED_CALLERS: 'true' }

describe('authentication of a client', () => {
  it('reads the key beside the file, and --check-config shows its path alone', () => {
    const yaml = clientOf(
      'method: private_key_jwt, keyFile: keys/reports.pem, keyId: k1, audience: "https://as"',
    )
    using folder = new ConfigFolder(yaml, { 'keys/reports.pem': `${pem(first)}\n` })
    const config = loadConfig({ CONFIG_FILE: folder.file })
    expect(config.broker.clients?.['reports']).toEqual({
      clientId: 'reports',
      authentication: {
        method: 'private_key_jwt',
        key: pem(first).trim(),
        keyId: 'k1',
        audience: 'https://as',
      },
    })
    const shown = describeConfig(config)
    expect(shown).toContain('keys/reports.pem')
    expect(shown).not.toContain(pem(first).split('\n')[1])
  })

  it.each<[string, string, string]>([
    [
      'no source',
      'clients: [{ name: reports, clientId: reports }]\n',
      'clientSecret: is missing; it is optional only with authentication',
    ],
    [
      'two sources',
      clientOf('method: private_key_jwt, keyFile: key.pem', ', clientSecret: { file: s }'),
      'clientSecret: has no meaning beside authentication',
    ],
    [
      'authMethod',
      clientOf('method: private_key_jwt, keyFile: key.pem', ', authMethod: client_secret_post'),
      'authMethod: has no meaning beside authentication',
    ],
    [
      'no key',
      clientOf('method: private_key_jwt'),
      'authentication.keyFile: is missing; private_key_jwt needs it',
    ],
    [
      'no certificate',
      clientOf('method: tls_client_auth, keyFile: key.pem'),
      'authentication.certFile: is missing; tls_client_auth needs it',
    ],
    [
      'a certificate for a JWT',
      clientOf('method: private_key_jwt, keyFile: key.pem, certFile: c'),
      'authentication.certFile: has no meaning with private_key_jwt',
    ],
    [
      'keyId with TLS',
      clientOf('method: tls_client_auth, keyFile: key.pem, certFile: c, keyId: k'),
      'authentication.keyId: has no meaning with tls_client_auth',
    ],
    [
      'a wrong algorithm',
      clientOf('method: private_key_jwt, keyFile: key.pem, algorithm: RS256'),
      'does not fit the algorithm RS256; it fits ES256',
    ],
    ['a public key', clientOf('method: private_key_jwt, keyFile: public.pem'), 'is a public key'],
    ['a missing file', clientOf('method: private_key_jwt, keyFile: gone.pem'), 'does not exist'],
  ])('is refused with %s', (_, yaml, problem) => {
    const publicKey = createPublicKey(first).export({ format: 'pem', type: 'spki' }).toString()
    using folder = new ConfigFolder(yaml, { 'key.pem': pem(first), 'public.pem': publicKey })
    const faults = faultsOf({ CONFIG_FILE: folder.file }).join('\n')
    expect(faults).toContain(problem)
    expect(faults).not.toContain(pem(first).split('\n')[1])
  })
})

test('another key in the file signs the next assertion, and the cached token stays', async () => {
  await using endpoint = await startTokenEndpoint()
  const yaml = `${clientOf('method: private_key_jwt, keyFile: key.pem')}${rule}`
  using volume = new MountedVolume({ 'config.yaml': yaml, 'key.pem': pem(first) })
  await using broker = await startReloadingBroker(endpoint, {
    ...open,
    CONFIG_FILE: volume.file('config.yaml'),
    EXPIRY_SAFETY_MARGIN: '1s',
  })
  expect((await broker.check()).status).toBe(200)
  volume.swap({ 'config.yaml': yaml, 'key.pem': pem(second) })
  await broker.look()
  expect((await broker.check()).status).toBe(200)
  expect(endpoint.forms).toHaveLength(1)
  expect(isSignedBy(first, endpoint.forms[0])).toBe(true)
  volume.swap({
    'config.yaml': yaml.replace('clientId: reports', 'clientId: others'),
    'key.pem': pem(second),
  })
  await broker.look()
  expect((await broker.check()).status).toBe(200)
  expect(isSignedBy(second, endpoint.forms[1])).toBe(true)
  expect(JSON.stringify(broker.log)).not.toContain(pem(second).split('\n')[1])
})

test('the connections of a client with a TLS method present its certificate, and the new one after a change', async () => {
  await using endpoint = await startTokenEndpoint({
    ...authority.issue('127.0.0.1'),
    ca: authority.cert,
    requestCert: true,
  })
  const [one, next] = [authority.issue('reports'), authority.issue('reports')]
  const yaml = (id: string) =>
    `${clientOf('method: tls_client_auth, certFile: tls.crt, keyFile: tls.key').replace('clientId: reports', `clientId: ${id}`)}${rule}`
  const files = ({ cert, key }: { cert: string; key: string }, id: string) => ({
    'config.yaml': yaml(id),
    'ca.crt': authority.cert,
    'tls.crt': cert,
    'tls.key': key,
  })
  using volume = new MountedVolume(files(one, 'reports'))
  await using broker = await startReloadingBroker(endpoint, {
    ...open,
    CONFIG_FILE: volume.file('config.yaml'),
    DEX_CA_FILE: volume.file('ca.crt'),
  })
  expect((await broker.check()).status).toBe(200)
  expect(Object.fromEntries(endpoint.forms[0] ?? [])).toEqual({
    grant_type: 'client_credentials',
    client_id: 'reports',
  })
  volume.swap(files(next, 'others'))
  await broker.look()
  expect((await broker.check()).status).toBe(200)
  expect(endpoint.certificates).toEqual([one.cert, next.cert])
})

test('doctor reads the key file and obtains a token with it', async () => {
  await using endpoint = await startTokenEndpoint()
  const yaml = `${clientOf('method: private_key_jwt, keyFile: key.pem')}${rule}`
  using folder = new ConfigFolder(yaml, { 'key.pem': pem(first) })
  const run = await doctor({ ...open, DEX_TOKEN_URL: endpoint.tokenEndpoint, CONFIG_FILE: folder.file })
  expect(run.result('authentication.keyFile of the client reports').verdict).toBe('ok')
  expect(['ok', 'warning']).toContain(run.result('token of reports').verdict)
  expect(endpoint.forms.some(form => isSignedBy(first, form))).toBe(true)
})
