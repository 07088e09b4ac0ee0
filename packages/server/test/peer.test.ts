import type { DevDex, DevDexOptions, Fault } from '@broker/dev-dex'
import { ask, freePort, type RawAnswer, RawConnection, type RawRequest, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { Command, runCommand } from './support/command.ts'
import { orders, removedBy, startDex } from './support/start-broker.ts'

// The Go service and this server, side by side: the same environment, the same requests, a Dex look-alike each.

/** The Go service DexTokenBroker, built. */
const binary = process.env['PEER_BIN'] ?? ''

type Environment = Readonly<Record<string, string>>

interface Peer {
  readonly dex: DevDex
  readonly port: number
  check(request?: RawRequest): Promise<RawAnswer>
}

interface Peers extends AsyncDisposable {
  readonly ours: Peer
  readonly theirs: Peer
  readonly both: readonly [ours: Peer, theirs: Peer]
}

async function startPeer(
  start: (environment: Environment) => Command,
  environment: (dex: DevDex) => Environment,
  options: DevDexOptions,
): Promise<Peer & AsyncDisposable> {
  const dex = await startDex(options)
  const port = await freePort()
  const command = start({
    LISTEN_ADDR: `127.0.0.1:${port}`,
    DEX_TOKEN_URL: dex.tokenEndpoint,
    ALLOW_INSECURE_DEX_URL: 'true',
    SHUTDOWN_TIMEOUT: '1s',
    ...environment(dex),
  })
  const isUp = () =>
    ask(port, { target: '/healthz' }).then(
      ({ status }) => status === 200,
      () => false,
    )
  await until(isUp, 'the start', 10_000)
  return {
    dex,
    port,
    check: request => ask(port, request),
    async [Symbol.asyncDispose]() {
      await command[Symbol.asyncDispose]()
      await dex.close()
    },
  }
}

async function startPeers(
  environment: Environment | ((dex: DevDex) => Environment) = {},
  options: DevDexOptions = {},
): Promise<Peers> {
  const environmentOf = typeof environment === 'function' ? environment : () => environment
  const started = await Promise.all([
    startPeer(variables => runCommand([], { ADMIN_ADDR: 'off', ...variables }), environmentOf, options),
    startPeer(variables => new Command(binary, [], variables), environmentOf, options),
  ])
  const [ours, theirs] = started
  return {
    ours,
    theirs,
    both: started,
    async [Symbol.asyncDispose]() {
      for (const peer of started) await peer[Symbol.asyncDispose]()
    },
  }
}

const gateOf = (dex: DevDex) => ({
  JWKS_URL: dex.jwksUri,
  STATIC_CLIENT_ID: 'orders',
  STATIC_CLIENT_SECRET: 'orders-secret',
})

const fixedToken: Fault = {
  kind: 'answer',
  body: '{"access_token":"the-token","token_type":"bearer","expires_in":300,"tenant":"blue","level":7}',
}

function jwtOf({ dex }: Peer, claims: object = {}): string {
  return dex.signJwt({
    iss: 'https://auth.example',
    aud: 'svc',
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  })
}

describe('against the Go service', needs({ PEER_BIN: binary !== '' }), () => {
  describe('the same', () => {
    const shown = [
      'authorization',
      'x-auth',
      'access_token',
      'x-token-type',
      'x-tenant',
      'x-level',
      'cache-control',
    ]
    const facts = (answer: RawAnswer) => ({
      status: answer.status,
      headers: Object.fromEntries(shown.map(name => [name, answer.header(name)])),
      body: answer.body,
    })

    test.each<[string, Environment, RawRequest]>([
      ['by headers', {}, { headers: orders }],
      ['by POST', {}, { method: 'POST', headers: orders, body: 'some body' }],
      ['with a path and a query behind /check', {}, { target: '/check/api/v1/orders?a=b', headers: orders }],
      ['with a scope', {}, { headers: { ...orders, 'x-scope': 'openid groups' } }],
      ['by static credentials', { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }, {}],
      ['with another header for the token', { UPSTREAM_AUTH_HEADER: 'X-Auth' }, { headers: orders }],
      [
        'with mapped fields',
        { UPSTREAM_TOKEN_HEADERS: 'access_token,token_type:X-Token-Type,tenant:x-tenant,level:x-level' },
        { headers: orders },
      ],
      [
        'by other credential headers',
        { CLIENT_ID_HEADER: 'X-I', CLIENT_SECRET_HEADER: 'X-S', SCOPE_HEADER: 'X-C' },
        { headers: { 'x-i': 'orders', 'x-s': 'orders-secret', 'x-c': 'email' } },
      ],
      ['without the cache', { CACHE_MAX_ENTRIES: '0' }, { headers: orders }],
    ])('token %s', async (_, environment, request) => {
      await using peers = await startPeers(environment)
      const seen: object[] = []
      for (const { dex, check } of peers.both) {
        dex.setFault('token', fixedToken)
        const answers = [facts(await check(request)), facts(await check(request))]
        const { tokenRequests } = dex.counts
        seen.push({ answers, tokenRequests, forms: dex.tokenRequests.map(({ form }) => form) })
      }
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]).toMatchObject({ answers: [{ status: 200 }, { status: 200 }] })
    })

    test('JWT gate: what passes, what does not, and how often the key set is fetched', async () => {
      await using peers = await startPeers(dex => ({
        ...gateOf(dex),
        JWT_ISSUER: 'https://auth.example',
        JWT_AUDIENCE: 'svc',
      }))
      const seen: unknown[] = []
      for (const peer of peers.both) {
        const statuses: number[] = []
        for (const claims of [
          {},
          { exp: 1 },
          { aud: 'x' },
          { iss: 'x' },
          { nbf: 9e9 },
          { aud: ['x', 'svc'] },
        ]) {
          const { status } = await peer.check({ headers: { authorization: `Bearer ${jwtOf(peer, claims)}` } })
          statuses.push(status)
        }
        statuses.push((await peer.check({ headers: orders })).status)
        seen.push({ statuses, counts: peer.dex.counts })
      }
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]).toMatchObject({ statuses: [200, 401, 401, 401, 401, 200, 401] })
    })

    test.each<[string, RawRequest]>([
      ['missing credentials', {}],
      ['a missing secret', { headers: { 'x-client-id': 'orders' } }],
      ['a wrong secret', { headers: { ...orders, 'x-client-secret': 'wrong' } }],
      ['an unknown path', { target: '/other', headers: orders }],
      ['a probe', { target: '/healthz' }],
    ])('status for %s', async (_, request) => {
      await using peers = await startPeers()
      const [ours, theirs] = await Promise.all(peers.both.map(({ check }) => check(request)))
      expect(ours?.status).toBe(theirs?.status)
      if (request.target === '/healthz') expect(ours?.body).toBe(theirs?.body)
    })

    test.each<[string, Fault, number]>([
      ['no JSON', { kind: 'answer', body: 'hello' }, 502],
      ['no access_token', { kind: 'answer', body: '{"token_type":"bearer"}' }, 502],
      ['a token of another type', { kind: 'answer', body: '{"access_token":"a","token_type":"mac"}' }, 502],
      ['nothing', { kind: 'reset' }, 503],
    ])('status when Dex answers %s', async (_, fault, status) => {
      await using peers = await startPeers()
      for (const { dex, check } of peers.both) {
        dex.setFault('token', fault)
        expect((await check({ headers: orders })).status).toBe(status)
      }
    })
  })

  describe('mended', () => {
    test.each(['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])('%s passes', async method => {
      await using peers = await startPeers()
      expect((await peers.theirs.check({ method, headers: orders })).status).toBe(405)
      expect((await peers.ours.check({ method, headers: orders })).status).toBe(200)
    })

    test('credentials and forged headers are removed on the way to the backend', async () => {
      await using peers = await startPeers({ UPSTREAM_TOKEN_HEADERS: 'refresh_token:x-refresh' })
      expect(removedBy(await peers.theirs.check({ headers: orders }))).toEqual([])
      expect(removedBy(await peers.ours.check({ headers: orders })).toSorted()).toEqual([
        'x-client-id',
        'x-client-secret',
        'x-refresh',
        'x-scope',
      ])
    })

    test('a caller that hangs up ends nobody else\u2019s wait', async () => {
      await using peers = await startPeers()
      const statuses: number[] = []
      for (const { dex, port, check } of peers.both) {
        dex.setFault('token', { kind: 'slow', delayMs: 400 })
        await using first = await RawConnection.open(port)
        first.send({ headers: orders })
        await until(() => dex.counts.tokenRequests === 1, 'the token request')
        const second = check({ headers: orders })
        // The second check must arrive before the first one leaves, so that the request of the first serves it.
        await check({ target: '/healthz' })
        first.reset()
        statuses.push((await second).status)
      }
      expect(statuses).toEqual([200, 503])
    })

    test('a Dex that is slower than Envoy waits fills the cache all the same', async () => {
      await using peers = await startPeers()
      const outcomes: object[] = []
      for (const { dex, port, check } of peers.both) {
        dex.setFault('token', { kind: 'slow', delayMs: 300 })
        for (let count = 1; count <= 3; count++) {
          await using impatient = await RawConnection.open(port)
          impatient.send({ headers: orders })
          await until(() => dex.counts.tokenRequests > 0, 'the token request')
          await check({ target: '/healthz' })
          impatient.reset()
        }
        const before = dex.counts.tokenRequests
        const { status } = await check({ headers: orders })
        outcomes.push({ status, moreTokenRequests: dex.counts.tokenRequests - before })
      }
      const fromCache = { status: 200, moreTokenRequests: 0 }
      expect(outcomes[0]).toEqual(fromCache)
      expect(outcomes[1]).not.toEqual(fromCache)
    })

    test.each(['p+q', '100%', 'p%41q', 'a&b=c'])('the secret %s arrives at Dex as it is', async secret => {
      await using peers = await startPeers({}, { clients: [{ id: 'orders', secret }] })
      const headers = { ...orders, 'x-client-secret': secret }
      expect((await peers.ours.check({ headers })).status).toBe(200)
      const theirs = (await peers.theirs.check({ headers })).status
      // Only what form-decoding leaves alone gets through there.
      expect(theirs).toBe(secret === 'a&b=c' ? 200 : 401)
    })

    test('a key set that cannot be had for a moment is 503, and not 401 for minutes', async () => {
      await using peers = await startPeers(gateOf)
      const [ours, theirs] = peers.both
      const check = (peer: Peer) => peer.check({ headers: { authorization: `Bearer ${jwtOf(peer)}` } })
      for (const { dex } of peers.both) dex.setFault('keys', { kind: 'html', status: 503, times: 1 })
      expect((await check(theirs)).status).toBe(401)
      expect((await check(ours)).status).toBe(503)
      await until(async () => (await check(ours)).status === 200, 'the keys')
      expect((await check(theirs)).status).toBe(401)
    })

    test('a key that was withdrawn is no longer trusted', async () => {
      await using peers = await startPeers(dex => ({ ...gateOf(dex), JWKS_MAX_AGE: '1s' }))
      for (const peer of peers.both) {
        const headers = { authorization: `Bearer ${jwtOf(peer)}` }
        expect((await peer.check({ headers })).status).toBe(200)
        await peer.dex.rotateKeys()
        peer.dex.retireKey()
        if (peer === peers.ours)
          await until(async () => (await peer.check({ headers })).status === 401, 'the end')
        else expect((await peer.check({ headers })).status).toBe(200)
      }
    })

    test.each(['/check//orders', '/check/./orders', '/check/../orders'])(
      '%s is no redirect',
      async target => {
        await using peers = await startPeers()
        const theirs = await peers.theirs.check({ target, headers: orders })
        // 301 or 307, by the version of Go.
        expect(Math.floor(theirs.status / 100)).toBe(3)
        expect(theirs.header('location')).toBeDefined()
        const ours = await peers.ours.check({ target, headers: orders })
        expect(ours.status).toBe(200)
        expect(ours.header('location')).toBeUndefined()
      },
    )

    test('a 401 has a challenge', async () => {
      await using peers = await startPeers()
      expect((await peers.theirs.check()).header('www-authenticate')).toBeUndefined()
      expect((await peers.ours.check()).header('www-authenticate')).toBe('Bearer realm="dex-token-broker"')
    })

    test.each<[string, Fault, number]>([
      ['404', { kind: 'answer', status: 404 }, 502],
      ['a redirect', { kind: 'redirect', location: '/x' }, 502],
      ['429', { kind: 'answer', status: 429, headers: { 'Retry-After': '9' } }, 503],
      [
        'unsupported_grant_type',
        { kind: 'answer', status: 400, body: '{"error":"unsupported_grant_type"}' },
        502,
      ],
    ])('%s of Dex is not blamed on the caller', async (_, fault, status) => {
      await using peers = await startPeers()
      for (const { dex } of peers.both) dex.setFault('token', fault)
      expect((await peers.theirs.check({ headers: orders })).status).toBe(401)
      const ours = await peers.ours.check({ headers: orders })
      expect(ours.status).toBe(status)
      expect(ours.header('retry-after')).toBe(status === 503 ? '9' : undefined)
    })

    test('wrong credentials cannot hammer Dex', async () => {
      await using peers = await startPeers()
      for (const { check } of peers.both) {
        for (let count = 0; count < 20; count++) {
          expect((await check({ headers: { ...orders, 'x-client-secret': 'wrong' } })).status).toBe(401)
        }
      }
      expect(peers.both.map(({ dex }) => dex.counts.tokenRequests)).toEqual([1, 20])
    })

    test('a mapped expires_in shrinks while the token is in the cache', async () => {
      await using peers = await startPeers({ UPSTREAM_TOKEN_HEADERS: 'expires_in:x-expires-in' })
      const seen: boolean[] = []
      for (const { check } of peers.both) {
        const first = (await check({ headers: orders })).header('x-expires-in')
        // real time: both are processes, and their clock is the machine's
        await new Promise(resolve => setTimeout(resolve, 1_100))
        seen.push((await check({ headers: orders })).header('x-expires-in') === first)
      }
      expect(seen).toEqual([false, true])
    })

    test('an expires_in in quotes is a number too', async () => {
      await using peers = await startPeers()
      const body = '{"access_token":"a","token_type":"bearer","expires_in":"300"}'
      for (const { dex } of peers.both) dex.setFault('token', { kind: 'answer', body })
      const statuses = await Promise.all(peers.both.map(({ check }) => check({ headers: orders })))
      expect(statuses.map(({ status }) => status)).toEqual([200, 502])
    })

    test('a JWT of 15 kB passes', async () => {
      await using peers = await startPeers(gateOf)
      const check = (peer: Peer) =>
        peer.check({ headers: { authorization: `Bearer ${jwtOf(peer, { filler: 'x'.repeat(11_000) })}` } })
      expect((await check(peers.theirs)).status).toBe(431)
      expect((await check(peers.ours)).status).toBe(200)
    })

    test('the path /healthz of a client, through an Envoy without a prefix, does not pass', async () => {
      await using peers = await startPeers()
      const request = { target: '/healthz', headers: { 'x-envoy-expected-rq-timeout-ms': '1000' } }
      expect((await peers.theirs.check(request)).status).toBe(200)
      expect((await peers.ours.check(request)).status).toBe(404)
    })
  })
})
