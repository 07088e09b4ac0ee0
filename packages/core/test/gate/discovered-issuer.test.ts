import { describe, expect, test } from 'vitest'
import { failureOf, until } from '../broker-with-dex.ts'
import { createBroker, startIdentityProvider } from './identity-provider.ts'

const discovery = '/.well-known/openid-configuration'
const clusterIss = 'https://kubernetes.default.svc.cluster.local'
const unavailable = { code: 'jwks_unavailable', status: 503 }
const refused = { code: 'invalid_token', status: 401 }

describe('an issuer that discovery names', () => {
  test('is learned by one request, for which all JWTs with an unknown iss wait', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    const { discoveryUrl } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl }] })
    const callers = ['a', 'b', 'c'].map(sub => running.broker.verify(cluster.jwt({ sub })))
    const stranger = failureOf(running.broker.verify(cluster.jwt({ iss: 'https://other.example.com' })))
    expect(await Promise.all(callers)).toMatchObject([
      { issuer: 'cluster', subject: 'a' },
      { issuer: 'cluster', subject: 'b' },
      { issuer: 'cluster', subject: 'c' },
    ])
    expect(await stranger).toMatchObject(refused)
    expect(cluster.requests).toEqual([discovery, '/keys'])
    await running.broker.verify(cluster.jwt())
    expect(cluster.requests).toHaveLength(2)
  })

  test('leaves JWTs of known issuers alone while it is unknown', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    await using staff = await startIdentityProvider()
    cluster.server.answer = () => {}
    await using running = createBroker({
      issuers: [
        { name: 'cluster', discoveryUrl: cluster.discoveryUrl },
        { name: 'staff', issuer: staff.iss, jwksUri: staff.jwksUri },
      ],
    })
    expect(await running.broker.verify(staff.jwt())).toMatchObject({ issuer: 'staff' })
    expect(cluster.requests).toEqual([])
  })

  test('is unavailable while its discovery fails, for every JWT that may be its own, and never 401', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    cluster.publish({ status: 503 })
    const { discoveryUrl } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl }] })
    for (const iss of [clusterIss, 'https://other.example.com']) {
      expect(await failureOf(running.broker.verify(cluster.jwt({ iss })))).toMatchObject(unavailable)
    }
    expect(cluster.requests).toEqual([discovery])
    expect(running.broker.missing()).toEqual(['endpoints', 'keys'])
    const errors = () => running.log.lines.filter(({ level }) => level === 'error')
    await until(() => errors().length === 2)
    expect(errors()).toMatchObject([
      { fields: { issuer: discoveryUrl, hint: expect.stringContaining('issuers.cluster.discoveryUrl') } },
      { fields: { issuer: 'cluster', keys: 'none' } },
    ])
    cluster.publish({ status: 200 })
    running.clock.advance(4_000)
    expect(await running.broker.verify(cluster.jwt())).toMatchObject({ issuer: 'cluster' })
    expect(running.broker.missing()).toEqual([])
    const stranger = cluster.jwt({ iss: 'https://other.example.com' })
    expect(await failureOf(running.broker.verify(stranger))).toMatchObject(refused)
  })

  test('is not asked for by junk: a JWT without iss, expired, or with a wrong form', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    const { discoveryUrl } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl }] })
    for (const jwt of ['x.y.z', cluster.jwt({ iss: undefined }), cluster.jwt({ exp: 1 })]) {
      expect(await failureOf(running.broker.verify(jwt))).toMatchObject(refused)
    }
    expect(cluster.requests).toEqual([])
  })

  test('that does not answer ends the wait of a caller at its own time', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    cluster.server.answer = () => {}
    const { discoveryUrl } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl }] })
    const failure = await failureOf(running.broker.verify(cluster.jwt(), { timeoutMs: 1 }))
    expect(failure).toMatchObject({ ...unavailable, transient: true })
    const reason = new Error('the caller left')
    const signal = AbortSignal.abort(reason)
    await expect(running.broker.verify(cluster.jwt(), { signal })).rejects.toBe(reason)
  })

  test('wins as soon as it is known, though another one hangs', async () => {
    await using slow = await startIdentityProvider()
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    slow.server.answer = () => {}
    await using running = createBroker({
      issuers: [
        { name: 'slow', discoveryUrl: slow.discoveryUrl },
        { name: 'cluster', discoveryUrl: cluster.discoveryUrl },
      ],
    })
    expect(await running.broker.verify(cluster.jwt())).toMatchObject({ issuer: 'cluster' })
  })

  test('needs a document with an issuer, and says so', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    const { discoveryUrl } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl }] })
    for (const issuer of [undefined, '', 7, 'x'.repeat(1_025)]) {
      cluster.publish({ document: { issuer } })
      expect(await failureOf(running.broker.verify(cluster.jwt()))).toMatchObject({
        ...unavailable,
        hint: { problem: 'other_issuer', option: 'issuers.cluster.issuer' },
      })
      running.clock.advance(4_000)
    }
  })

  test('with a jwksUri needs no keys from the document, and its name from it all the same', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    cluster.publish({ document: { jwks_uri: 'not a URL' } })
    const { discoveryUrl, jwksUri } = cluster
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl, jwksUri }] })
    expect(running.broker.missing()).toEqual(['endpoints', 'keys'])
    await until(() => running.broker.missing().length === 0)
    expect(await running.broker.verify(cluster.jwt())).toMatchObject({ issuer: 'cluster' })
    expect(cluster.requests.toSorted()).toEqual([discovery, '/keys'])
  })

  test('that another entry has too is refused by the keys of the first, and told to the operator', async () => {
    await using one = await startIdentityProvider({ iss: clusterIss })
    await using two = await startIdentityProvider({ iss: clusterIss })
    await using running = createBroker({
      issuers: [
        { name: 'one', discoveryUrl: one.discoveryUrl },
        { name: 'two', discoveryUrl: two.discoveryUrl },
      ],
    })
    await until(() => running.broker.missing().length === 0)
    expect(await running.broker.verify(one.jwt())).toMatchObject({ issuer: 'one' })
    expect(await failureOf(running.broker.verify(two.jwt()))).toMatchObject(refused)
    expect(running.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { issuer: 'two', sameAs: 'one', iss: clusterIss, hint: expect.stringContaining('issuers') } },
    ])
  })

  test('is compared when the option issuer says which it must be', async () => {
    await using cluster = await startIdentityProvider({ iss: clusterIss })
    const { discoveryUrl } = cluster
    const issuer = 'https://other.example.com'
    await using running = createBroker({ issuers: [{ name: 'cluster', discoveryUrl, issuer }] })
    expect(await failureOf(running.broker.verify(cluster.jwt({ iss: issuer })))).toMatchObject({
      ...unavailable,
      hint: { problem: 'other_issuer', option: 'issuers.cluster.issuer', detail: clusterIss },
    })
  })
})
