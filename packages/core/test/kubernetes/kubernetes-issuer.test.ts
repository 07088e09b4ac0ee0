import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { readRecording, record, startApiServerStandIn, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { type KubernetesIssuerOptions, kubernetesIssuer } from '../../src/kubernetes/index.ts'
import { hintText } from '../../src/shared/hint.ts'
import { failureOf } from '../broker-with-dex.ts'
import { brokerAccount, nightly, otherCa, startClusterGate } from './cluster-gate.ts'
import { describeClusters, describeRealCluster } from './clusters.ts'

const refused = { code: 'invalid_token', status: 401 }
const unavailable = { code: 'jwks_unavailable', status: 503 }

describeClusters('service accounts', start => {
  test('a token for the audience passes, and its caller is the service account', async () => {
    await using server = await start()
    await using gate = await startClusterGate(server)
    const token = await server.requestToken(nightly)
    const caller = await gate.broker.authenticate({ headers: ['authorization', `Bearer ${token}`] })
    expect(caller).toMatchObject({
      issuer: 'cluster',
      subject: 'system:serviceaccount:jobs:nightly',
      groups: [],
      claims: { 'kubernetes.io': { namespace: 'jobs', serviceaccount: { name: 'nightly' } } },
    })
    expect(caller.clientId).toBeUndefined()
  })

  test('a token for the API server or for another service is refused', async () => {
    await using server = await start()
    await using gate = await startClusterGate(server)
    const { audiences: _, ...forApiServer } = nightly
    for (const order of [forApiServer, { ...nightly, audiences: ['vault'] }]) {
      const failure = await failureOf(gate.broker.verify(await server.requestToken(order)))
      expect(failure).toMatchObject(refused)
    }
  })

  test('an expired token is refused', async () => {
    await using server = await start()
    await using gate = await startClusterGate(server)
    const token = await server.requestToken(nightly)
    await gate.broker.verify(token)
    gate.clock.advance(3_700_000)
    expect(await failureOf(gate.broker.verify(token))).toMatchObject(refused)
  })

  test('a token of another cluster with the same issuer is refused', async () => {
    await using server = await start()
    await using other = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    expect(other.issuer).toBe(server.issuer)
    const token = await other.requestToken(nightly)
    expect(await failureOf(gate.broker.verify(token))).toMatchObject(refused)
  })

  test('with a token that the API server refuses, the keys are unavailable', async () => {
    await using server = await start()
    await using gate = await startClusterGate(server)
    await gate.mount.project({ token: 'expired', ca: server.caCert })
    const failure = await failureOf(gate.broker.verify(await server.requestToken(nightly)))
    expect(failure).toMatchObject({ ...unavailable, message: expect.stringContaining('status 401') })
  })
})

describeRealCluster('the recording', start => {
  test('is what an API server answers', async () => {
    await using server = await start()
    expect(shape(await record(server))).toEqual(shape(readRecording()))
  })
})

test('the recorded token of an API server passes at the time of the recording, and not later', async () => {
  await using server = await startApiServerStandIn()
  await using gate = await startClusterGate(server)
  const { recordedAt, tokenRequest } = readRecording()
  const { token } = JSON.parse(tokenRequest.body).status
  gate.clock.advance(recordedAt - gate.clock.wall())
  const { subject } = await gate.broker.authenticate({ headers: ['authorization', token] })
  expect(subject).toBe('system:serviceaccount:jobs:nightly')
  gate.clock.advance(3_600_000)
  expect(await failureOf(gate.broker.verify(token))).toMatchObject(refused)
})

describe('the mounted files', () => {
  test('a token that is replaced in the mount is used for the next request, time and again', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    await gate.broker.verify(server.sign(nightly))
    for (const _ of [1, 2]) {
      const token = server.sign(brokerAccount)
      await gate.mount.project({ token: `${token}\n`, ca: server.caCert })
      // Old enough that the keys are loaded again.
      gate.clock.advance(601_000)
      await gate.broker.verify(server.sign(nightly))
      expect(server.requests.at(-1)).toBe('/openid/v1/jwks')
      expect(server.authorizations.at(-1)).toBe(`Bearer ${token}`)
    }
  })

  test('a token that is replaced while the API server refuses it is tried once more', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    const stale = server.sign(brokerAccount)
    const fresh = server.sign(brokerAccount)
    server.revoke(stale)
    await gate.mount.project({ token: stale, ca: server.caCert })
    server.onRequest = () => gate.mount.project({ token: fresh, ca: server.caCert })
    await gate.broker.verify(server.sign(nightly))
    expect(server.authorizations.slice(0, 2)).toEqual([`Bearer ${stale}`, `Bearer ${fresh}`])
  })

  test('a new CA of the API server is trusted as soon as it is in the file', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    await gate.broker.verify(server.sign(nightly))
    server.rotateCa()
    await gate.mount.project({ token: server.sign(brokerAccount), ca: server.caCert })
    gate.clock.advance(601_000)
    await gate.broker.verify(server.sign(nightly))
    expect(server.requests.filter(path => path === '/openid/v1/jwks')).toHaveLength(2)
    expect(gate.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('an API server with a certificate of another CA gets no request, and the hint names the file', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    await gate.mount.project({ token: server.sign(brokerAccount), ca: otherCa })
    const failure = await failureOf(gate.broker.verify(server.sign(nightly)))
    expect(failure).toMatchObject({ ...unavailable, hint: { problem: 'certificate_not_trusted' } })
    expect(hintText(failure.hint as never)).toContain(gate.mount.caFile)
    expect(server.requests).toEqual([])
  })

  test.each<[string, 'tokenFile' | 'caFile', string | undefined]>([
    ['without a token file', 'tokenFile', undefined],
    ['with an empty token file', 'tokenFile', '\n'],
    ['with a token that is not one line', 'tokenFile', 'one\r\nx-injected: two'],
    ['without a CA file', 'caFile', undefined],
    ['with a CA file that has no certificate', 'caFile', 'not PEM'],
    [
      'with a CA file that has a damaged certificate',
      'caFile',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    ],
  ])('%s the keys are unavailable until it is repaired, and the hint names it', async (_, which, content) => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    const file = gate.mount[which]
    await rm(file)
    if (content !== undefined) await writeFile(file, content)
    const failure = await failureOf(gate.broker.verify(server.sign(nightly)))
    expect(failure).toMatchObject({
      ...unavailable,
      hint: { problem: 'unusable_file', option: `issuers.cluster.${which}`, detail: file },
    })
    expect(hintText(failure.hint as never)).toContain(file)
    expect(server.requests).toEqual([])

    await writeFile(file, which === 'caFile' ? server.caCert : server.sign(brokerAccount))
    gate.clock.advance(60_000)
    await gate.broker.verify(server.sign(nightly))
  })
})

describe('the API server', () => {
  test('that is down makes the keys unavailable', async () => {
    const server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    const token = server.sign(nightly)
    await server[Symbol.asyncDispose]()
    const failure = await failureOf(gate.broker.verify(token))
    expect(failure).toMatchObject({ ...unavailable, hint: { problem: 'nothing_listens' } })
  })

  test('is asked for discovery and keys once, each with the token, and the token is in no log line', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    for (let i = 0; i < 20; i++) await gate.broker.verify(server.sign({ ...nightly, name: `job-${i}` }))
    expect(server.requests).toEqual(['/.well-known/openid-configuration', '/openid/v1/jwks'])
    const [authorization = ''] = server.authorizations
    expect(authorization).toMatch(/^Bearer ey/)
    expect(server.authorizations).toEqual([authorization, authorization])
    expect(JSON.stringify(gate.log.lines)).not.toContain(authorization.slice(7))
  })

  test('is not asked for discovery when the issuer is given, and another issuer is refused', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server, { issuer: server.issuer })
    await gate.broker.verify(server.sign(nightly))
    expect(server.requests).toEqual(['/openid/v1/jwks'])
    const foreign = server.sign(nightly, { iss: 'https://kubernetes.default.svc' })
    expect(await failureOf(gate.broker.verify(foreign))).toMatchObject(refused)
  })

  test('is the only one that gets the token', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    const { caFile, tokenFile } = gate.mount
    const { transport } = kubernetesIssuer({
      name: 'cluster',
      audiences: 'a',
      server: 'https://kubernetes.default.svc',
      caFile,
      tokenFile,
    })
    const request = {
      method: 'GET',
      headers: {},
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    } as const
    await expect(transport?.(`${server.url}/openid/v1/jwks`, request)).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  })

  test('can serve below a path', () => {
    const { discoveryUrl, jwksUri } = kubernetesIssuer({
      name: 'cluster',
      audiences: 'a',
      server: 'https://rancher.example.com/k8s/clusters/c-1/',
    })
    expect([discoveryUrl, jwksUri]).toEqual([
      'https://rancher.example.com/k8s/clusters/c-1/.well-known/openid-configuration',
      'https://rancher.example.com/k8s/clusters/c-1/openid/v1/jwks',
    ])
  })

  test('is that of the pod by default', () => {
    expect(kubernetesIssuer({ name: 'cluster', audiences: 'a' })).toMatchObject({
      name: 'cluster',
      audiences: ['a'],
      issuer: undefined,
      discoveryUrl: 'https://kubernetes.default.svc/.well-known/openid-configuration',
      jwksUri: 'https://kubernetes.default.svc/openid/v1/jwks',
    })
  })

  test('has no connection open between requests, so that a new CA counts for each', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    await gate.broker.verify(server.sign(nightly))
    await until(async () => (await server.openConnections()) === 0, 'closed connections', 2_000)
  })

  test('keeps no process alive', async () => {
    await using server = await startApiServerStandIn()
    await using gate = await startClusterGate(server)
    const { caFile, tokenFile } = gate.mount
    const options = { name: 'cluster', audiences: 'a', server: server.url, caFile, tokenFile }
    const program = `
      import { kubernetesIssuer } from ${JSON.stringify(new URL('../../src/kubernetes/index.ts', import.meta.url).href)}
      const { transport, jwksUri } = kubernetesIssuer(${JSON.stringify(options)})
      const { status } = await transport(jwksUri, { method: 'GET', headers: { accept: '*/*' }, redirect: 'manual', signal: new AbortController().signal })
        .then(async response => { for await (const _ of response.body); return response })
      console.log(status)
    `
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 10_000,
    })
    expect(stdout).toBe('200\n')
  })
})

test.each<[string, Partial<Record<keyof KubernetesIssuerOptions | 'audience', unknown>>]>([
  ['audiences', { audiences: undefined }],
  ['audiences', { audiences: [] }],
  ['audiences', { audiences: '' }],
  ['audiences', { audiences: ['a', 7] }],
  ['name', { name: 7 }],
  ['server', { server: 'http://kubernetes.default.svc' }],
  ['server', { server: 'kubernetes.default.svc' }],
  ['server', { server: 'https://user:secret@kubernetes.default.svc' }],
  ['server', { server: 'https://kubernetes.default.svc/?a' }],
  ['caFile', { caFile: '' }],
  ['tokenFile', { tokenFile: 7 }],
  ['audience', { audience: 'a' }],
])('a wrong %s is a TypeError that names it: %o', (option, wrong) => {
  const options = { name: 'cluster', audiences: ['a'], ...wrong } as KubernetesIssuerOptions
  expect(() => kubernetesIssuer(options)).toThrow(TypeError)
  expect(() => kubernetesIssuer(options)).toThrow(new RegExp(`^${option} `))
})

/** A value with its strings and numbers replaced by their types, but for what tests rely on. */
function shape(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map(item => shape(item))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item, key)]))
  }
  if (name === 'body' && String(value).startsWith('{')) return shape(JSON.parse(String(value)))
  if (name === 'token') {
    return String(value)
      .split('.')
      .slice(0, 2)
      .map(part => shape(JSON.parse(Buffer.from(part, 'base64url').toString())))
  }
  const literal = [
    'status',
    'content-type',
    'cache-control',
    'reason',
    'iss',
    'sub',
    'aud',
    'issuer',
    'alg',
    'kty',
  ]
  return literal.includes(name) ? value : typeof value
}
