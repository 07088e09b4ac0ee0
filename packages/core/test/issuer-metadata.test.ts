import { type DevDexOptions, type Fault, startDevDex } from '@broker/dev-dex'
import { answerJson, startRecordingServer } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { TokenBroker } from '../src/token-broker.ts'
import {
  type BrokerWithDex,
  billing,
  caughtUp,
  failureOf,
  orders,
  startBrokerWithDex,
  until,
} from './broker-with-dex.ts'
import { ManualClock } from './manual-clock.ts'
import { RecordingLogger } from './recording-logger.ts'

const discoveryPath = '/.well-known/openid-configuration'

/** A broker that knows Dex by its issuer alone. */
function startWithIssuer(options: Partial<TokenBrokerOptions> = {}, dexOptions: DevDexOptions = {}) {
  return startBrokerWithDex(
    ({ issuer }) => ({ tokenEndpoint: undefined, issuer, client: orders, ...options }),
    dexOptions,
  )
}

/** Changes what discovery says. */
function saying(changes: Readonly<Record<string, unknown>>): Fault {
  return {
    kind: 'rewrite',
    rewrite: answer => ({
      ...answer,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...JSON.parse(answer.body.toString()), ...changes }),
    }),
  }
}

function hintsOf({ log }: BrokerWithDex): string {
  return log.lines.map(({ fields }) => fields['hint'] ?? '').join('\n')
}

function warningsOf({ log }: BrokerWithDex): string[] {
  return log.lines
    .filter(({ level }) => level === 'warn')
    .map(({ message, fields }) => `${message}: ${fields['hint']}`)
}

describe('the discovery document', () => {
  test('is not asked for before it is needed', async () => {
    await using running = await startWithIssuer({ gate: {} })
    expect(running.broker.peekToken()).toBeUndefined()
    expect(running.broker.asksAt(new URL(running.dex.tokenEndpoint))).toBe(false)
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 0, tokenRequests: 0 })
  })

  test('is asked for once by a thousand callers, who want different tokens and keys', async () => {
    await using running = await startWithIssuer({ gate: {} })
    const { broker, dex, clock } = running
    const jwt = dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => {
        if (index % 4 === 0) return broker.verify(jwt)
        return broker.getToken({ scope: `openid ${index % 50}` }).catch(() => {})
      }),
    )
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1 })
    expect(await broker.getToken()).toBeDefined()
  })

  test('is kept for good', async () => {
    await using running = await startWithIssuer()
    await running.broker.getToken()
    running.dex.setFault('discovery', { kind: 'html' })
    for (let day = 0; day < 30; day++) {
      running.clock.advance(86_400_000)
      await running.broker.getToken()
    }
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 1, tokenRequests: 31 })
  })

  test('is found behind an issuer with a trailing slash, too', async () => {
    await using running = await startWithIssuer({}, { issuerPath: '/dex/' })
    expect(running.dex.issuer).toMatch(/\/dex\/$/)
    await running.broker.getToken()
    expect(running.dex.counts.discoveryRequests).toBe(1)
  })

  test('tells where no token belongs', async () => {
    await using running = await startWithIssuer()
    expect(running.broker.asksAt(new URL(running.dex.discoveryUri))).toBe(true)
    await running.broker.getToken()
    expect(running.broker.asksAt(new URL(running.dex.tokenEndpoint))).toBe(true)
  })
})

describe('an issuer that is not usable', () => {
  const unusable: [string, Fault, RegExp][] = [
    [
      'another issuer',
      saying({ issuer: 'https://other.example.com' }),
      /configuration of Dex, https:\/\/other\.example\.com; /,
    ],
    ['no issuer', saying({ issuer: undefined }), /set issuer to exactly/],
    ['an issuer that is a list', saying({ issuer: ['x'] }), /configuration of Dex; if/],
    ['HTML with status 200', { kind: 'html', status: 200 }, /no discovery document of Dex at http/],
    ['status 404', { kind: 'answer', status: 404, body: '404 page not found\n' }, /check issuer: /],
    ['status 201', { kind: 'answer', status: 201, body: '{}' }, /check issuer: /],
    ['no body', { kind: 'answer', body: '' }, /check issuer: /],
    ['a list', { kind: 'answer', body: '[]' }, /check issuer: /],
    ['null', { kind: 'answer', body: 'null' }, /check issuer: /],
    ['a redirect', { kind: 'redirect', location: '/dex/token' }, /check issuer: /],
    ['1 GiB', { kind: 'huge' }, /check issuer: /],
    ['1 GiB, declared', { kind: 'huge', declareLength: true }, /check issuer: /],
    ['no token endpoint', saying({ token_endpoint: undefined }), /tokenEndpoint and jwksUri/],
    ['no key set', saying({ jwks_uri: undefined }), /tokenEndpoint and jwksUri/],
    ['a relative token endpoint', saying({ token_endpoint: '/token' }), /tokenEndpoint/],
    ['a token endpoint that is a number', saying({ token_endpoint: 7 }), /tokenEndpoint/],
    ['a token endpoint by ftp', saying({ token_endpoint: 'ftp://127.0.0.1/token' }), /tokenEndpoint/],
    [
      'a token endpoint with user information',
      saying({ token_endpoint: 'https://id:hunter2@127.0.0.1/token' }),
      /tokenEndpoint/,
    ],
    [
      'a token endpoint by http on another host',
      saying({ token_endpoint: 'http://dex.example.com/token' }),
      /allowInsecureUrls/,
    ],
    [
      'a key set by http on another host',
      saying({ jwks_uri: 'http://dex.example.com/keys' }),
      /allowInsecureUrls/,
    ],
  ]

  test.each(unusable)('(%s) is a 502 with a hint, and no secret goes anywhere', async (_, fault, hint) => {
    await using running = await startWithIssuer()
    running.dex.setFault('discovery', fault)
    const failure = await failureOf(running.broker.getToken())
    expect([failure.code, failure.transient]).toEqual(['invalid_token_response', false])
    expect(hintsOf(running)).toMatch(hint)
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ tokenRequests: 0, discoveryRequests: 1 })
    expect(JSON.stringify(running.log.lines)).not.toMatch(/orders-secret|hunter2/)
    running.dex.clearFaults()
    running.clock.advance(1_000)
    expect(await running.broker.getToken()).toBeDefined()
  })

  const unavailable: [string, Fault][] = [
    ['status 500', { kind: 'html' }],
    ['status 503', { kind: 'answer', status: 503, body: '' }],
    ['a reset', { kind: 'reset' }],
    ['a reset in the middle of the body', { kind: 'reset', midBody: true }],
    ['silence', { kind: 'hang' }],
  ]

  test.each(unavailable)(
    'for the moment (%s) is a 503, and a jwks_unavailable at the gate',
    async (_, fault) => {
      await using running = await startWithIssuer({ gate: {}, requestTimeoutMs: 150 })
      const { broker, dex, clock } = running
      dex.setFault('discovery', fault)
      const failure = await failureOf(broker.getToken())
      expect([failure.code, failure.transient]).toEqual(['token_endpoint_unavailable', true])
      const jwt = dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 3_600 })
      expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
      expect(broker.missing()).not.toEqual([])
      dex.clearFaults()
      clock.advance(1_000)
      await until(() => broker.missing().length === 0)
      await broker.getToken()
      await broker.verify(jwt)
    },
  )

  test('is told apart by a trailing slash alone, and the hint has the right one to the letter', async () => {
    for (const wrong of [
      (url: string) => `${url}/`,
      (url: string) => url.replace('127.0.0.1', 'LOCALHOST'),
    ]) {
      await using running = await startBrokerWithDex(({ issuer }) => ({
        tokenEndpoint: undefined,
        issuer: wrong(issuer),
        client: orders,
      }))
      expect((await failureOf(running.broker.getToken())).code).toBe('invalid_token_response')
      expect(hintsOf(running)).toContain(`configuration of Dex, ${running.dex.issuer}; if`)
    }
    const root = 'https://dex.example.com'
    await using running = await startWithIssuer()
    running.dex.setFault('discovery', saying({ issuer: root }))
    await failureOf(running.broker.getToken())
    expect(hintsOf(running)).toContain(`configuration of Dex, ${root}; if`)
  })

  test.each([
    'https://id:hunter2@dex.example.com',
    'https://dex.example.com/?key=hunter2',
    'https://dex.example.com/#hunter2',
    'hunter2',
    `https://dex.example.com/${'hunter2'.repeat(100)}`,
    'https://dex.example.com/\u202ehunter2\n',
  ])('is not repeated in the log when it is no plain URL: %j', async issuer => {
    await using running = await startWithIssuer()
    running.dex.setFault('discovery', saying({ issuer }))
    await failureOf(running.broker.getToken())
    expect(JSON.stringify(running.log.lines)).not.toContain('hunter2')
  })
})

describe('discovery that fails', () => {
  test('is tried again after 1, 2, 4 and 4 seconds, however many ask, and is logged once each', async () => {
    await using running = await startWithIssuer({ gate: {} })
    const { broker, dex, clock, log } = running
    dex.setFault('discovery', { kind: 'html', status: 503 })
    let tries = 0
    for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
      const first = await failureOf(broker.getToken())
      expect(first.retryAfterMs).toBeUndefined()
      tries++
      clock.advance(pauseMs - 1)
      for (let index = 0; index < 10; index++) {
        const failure = await failureOf(broker.getToken({ scope: `openid ${index}` }))
        expect([failure.code, failure.retryAfterMs]).toEqual(['token_endpoint_unavailable', 1])
        expect(broker.missing()).not.toEqual([])
      }
      expect(dex.counts.discoveryRequests).toBe(tries)
      clock.advance(1)
    }
    const messages = log.lines.map(({ message }) => message)
    expect(messages.filter(message => message.startsWith('issuer discovery failed'))).toHaveLength(tries)
    expect(messages.filter(message => message.startsWith('token request failed'))).toEqual([])
  })

  test('does not open the circuit of the token endpoint: the first token after it comes at once', async () => {
    await using running = await startWithIssuer()
    running.dex.setFault('discovery', { kind: 'reset' })
    for (let index = 0; index < 20; index++) await failureOf(running.broker.getToken({ scope: `s${index}` }))
    running.dex.clearFaults()
    running.clock.advance(1_000)
    await running.broker.getToken()
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 2, tokenRequests: 1 })
    expect(warningsOf(running)).toEqual([])
  })

  test('ends with its own deadline, and a caller that cannot wait leaves before', async () => {
    await using running = await startWithIssuer({ requestTimeoutMs: 200 })
    running.dex.setFault('discovery', { kind: 'hang' })
    const patient = failureOf(running.broker.getToken())
    expect((await failureOf(running.broker.getToken({ timeoutMs: 10 }))).code).toBe(
      'token_endpoint_unavailable',
    )
    const abort = new AbortController()
    const leaving = running.broker.getToken({ signal: abort.signal })
    abort.abort(new Error('the caller left'))
    await expect(leaving).rejects.toThrow('the caller left')
    expect((await patient).message).toBe('the issuer timed out')
    expect(running.dex.counts.discoveryRequests).toBe(1)
  })
})

describe('endpoints that the document names', () => {
  test('on another host are used, and a warning names the option that replaces each', async () => {
    await using running = await startWithIssuer()
    const { dex } = running
    dex.setFault('discovery', saying({ token_endpoint: dex.tokenEndpoint.replace('127.0.0.1', 'localhost') }))
    await running.broker.getToken()
    expect(warningsOf(running)).toEqual([expect.stringMatching(/another host: set tokenEndpoint if/)])
    await using other = await startWithIssuer()
    other.dex.setFault('discovery', saying({ jwks_uri: other.dex.jwksUri.replace('127.0.0.1', 'localhost') }))
    await other.broker.getToken()
    expect(warningsOf(other)).toEqual([expect.stringMatching(/another host: set jwksUri if/)])
  })

  test('without the client_credentials grant cause one warning, before a token request fails', async () => {
    await using running = await startWithIssuer()
    running.dex.setFault('discovery', saying({ grant_types_supported: ['authorization_code'] }))
    await running.broker.getToken()
    expect(warningsOf(running)).toEqual([expect.stringMatching(/oauth2\.grantTypes/)])
    await using silent = await startWithIssuer()
    silent.dex.setFault('discovery', saying({ grant_types_supported: undefined }))
    await silent.broker.getToken()
    expect(warningsOf(silent)).toEqual([])
  })

  test('by http on another host are used when the operator insists', async () => {
    await using running = await startWithIssuer({ allowInsecureUrls: true })
    running.dex.setFault('discovery', saying({ jwks_uri: 'http://dex.example.com/keys' }))
    await running.broker.getToken()
    expect(warningsOf(running)).toHaveLength(1)
  })
})

describe('what is configured wins', () => {
  test('tokenEndpoint: tokens come while discovery fails, but no keys', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({ issuer, client: orders, gate: {} }))
    const { broker, dex, clock } = running
    const jwt = dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })
    dex.setFault('discovery', { kind: 'html' })
    await broker.getToken()
    expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
    dex.clearFaults()
    clock.advance(1_000)
    await broker.verify(jwt)
    expect(dex.counts).toMatchObject({ discoveryRequests: 2, keysRequests: 1, tokenRequests: 1 })
  })

  test('tokenEndpoint: without a gate nothing is missing before discovery', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({ issuer, client: orders }))
    expect(running.broker.missing()).toEqual([])
    await caughtUp(running.dex)
    expect(running.dex.counts.discoveryRequests).toBe(0)
  })

  test('tokenEndpoint: what discovery says of it does not count', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({ issuer, client: orders, gate: {} }))
    const { broker, dex, clock } = running
    dex.setFault('discovery', saying({ token_endpoint: 'https://dex.invalid/token' }))
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
    await broker.getToken()
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('gate.jwksUri: the gate has its own keys, and expects no issuer by itself', async () => {
    await using callers = await startDevDex({ algorithm: 'ES256' })
    await using running = await startWithIssuer({ gate: { jwksUri: callers.jwksUri } })
    const exp = running.clock.wall() / 1000 + 60
    expect(await running.broker.verify(callers.signJwt({ iss: 'anyone', exp }))).toMatchObject({
      claims: { iss: 'anyone' },
    })
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 0 })
    const jwtOfDex = running.dex.signJwt({ iss: running.dex.issuer, exp })
    expect((await failureOf(running.broker.verify(jwtOfDex))).code).toBe('invalid_token')
  })
})

describe("a gate with Dex's own keys", () => {
  test('expects the issuer itself, and refuses any other before a key is fetched', async () => {
    await using running = await startWithIssuer({ gate: {} })
    const { broker, dex, clock } = running
    const exp = clock.wall() / 1000 + 60
    for (const iss of [`${dex.issuer}/`, dex.issuer.toUpperCase(), undefined, 'https://other']) {
      expect((await failureOf(broker.verify(dex.signJwt({ iss, exp })))).code).toBe('invalid_token')
    }
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 0 })
    expect(await broker.verify(dex.signJwt({ iss: dex.issuer, exp }))).toMatchObject({
      claims: { iss: dex.issuer },
    })
  })

  test('expects the issuer of its own option when there is one', async () => {
    await using running = await startWithIssuer({ gate: { issuer: 'https://known-as.example.com' } })
    const exp = running.clock.wall() / 1000 + 60
    await running.broker.verify(running.dex.signJwt({ iss: 'https://known-as.example.com', exp }))
    const own = running.dex.signJwt({ iss: running.dex.issuer, exp })
    expect((await failureOf(running.broker.verify(own))).code).toBe('invalid_token')
  })

  test('is not ready before the issuer and its keys are known; asking loads both', async () => {
    await using running = await startWithIssuer({ gate: {} })
    expect(running.broker.missing()).not.toEqual([])
    await until(() => running.broker.missing().length === 0)
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 0 })
  })
})

describe('close', () => {
  test.each(['hang', 'slow'] as const)(
    'ends discovery that is under way (%s), for all who wait',
    async kind => {
      await using running = await startWithIssuer({ gate: {} })
      const { broker, dex, clock, log } = running
      dex.setFault('discovery', kind === 'hang' ? { kind } : { kind, delayMs: 60_000 })
      const token = failureOf(broker.getToken())
      const claims = failureOf(broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })))
      await until(() => dex.counts.discoveryRequests === 1)
      await broker.close()
      expect((await token).message).toBe('the broker is closed')
      expect((await claims).code).toBe('jwks_unavailable')
      expect(log.lines.filter(({ message }) => message.startsWith('issuer'))).toEqual([])
      await until(() => dex.openConnections === 0)
    },
  )

  test('is the end: nothing is discovered after it', async () => {
    await using running = await startWithIssuer({ gate: {} })
    await running.broker.close()
    expect(running.broker.missing()).not.toEqual([])
    expect((await failureOf(running.broker.getToken())).message).toBe('the broker is closed')
    await caughtUp(running.dex)
    expect(running.dex.counts.discoveryRequests).toBe(0)
  })
})

describe('a token whose key Dex has lost', () => {
  test("is dropped without a gate, as soon as another client's token comes from a new key", async () => {
    await using running = await startWithIssuer()
    const { broker, dex, clock, log } = running
    const dead = await broker.getToken()
    await until(() => dex.counts.keysRequests === 1)
    await dex.restart()
    clock.advance(11_000)
    expect(broker.peekToken()).toBe(dead)
    const others = await broker.getToken({ ...billing })
    await until(() => broker.peekToken() === undefined)
    expect(broker.peekToken({ ...billing })).toBe(others)
    expect(await broker.getToken()).not.toBe(dead)
    expect(log.lines.filter(({ message }) => message.includes('signed them is gone'))).toHaveLength(1)
    expect(dex.counts.discoveryRequests).toBe(1)
  })

  test("is found by Dex's keys although the gate has another issuer's", async () => {
    await using callers = await startDevDex({ algorithm: 'ES256' })
    await using running = await startWithIssuer({
      gate: { jwksUri: callers.jwksUri, issuer: callers.issuer },
    })
    const { broker, dex, clock } = running
    await broker.getToken()
    await until(() => dex.counts.keysRequests === 1)
    await callers.restart()
    await dex.restart()
    clock.advance(11_000)
    await broker.getToken({ ...billing })
    await until(() => broker.peekToken() === undefined)
    await caughtUp(callers)
    expect(callers.counts.keysRequests).toBe(0)
  })

  test('stays when the key set cannot be had', async () => {
    await using running = await startWithIssuer()
    const { broker, dex, clock } = running
    const token = await broker.getToken()
    await until(() => dex.counts.keysRequests === 1)
    await dex.restart()
    dex.setFault('keys', { kind: 'answer', body: '{"keys":[]}' })
    clock.advance(11_000)
    await broker.getToken({ ...billing })
    await until(() => dex.counts.keysRequests === 2)
    await until(() => running.log.lines.some(({ message }) => message.startsWith('key set refresh failed')))
    expect(broker.peekToken()).toBe(token)
  })
})

describe('the option issuer', () => {
  const make = (options: Record<string, unknown>) => () =>
    new TokenBroker(options as unknown as TokenBrokerOptions).close()

  test('or tokenEndpoint has to be there', () => {
    for (const options of [{}, { issuer: undefined, tokenEndpoint: undefined }, { issuer: null }]) {
      expect(make(options)).toThrow(TypeError)
      expect(make(options)).toThrow(/^tokenEndpoint /)
    }
  })

  test('is what the gate needs when it has no jwksUri', () => {
    expect(make({ tokenEndpoint: 'https://dex.example.com/token', gate: {} })).toThrow(/^gate\.jwksUri /)
  })

  test.each([
    '',
    'dex',
    5,
    'ftp://dex.example.com',
    'http://dex.example.com',
    'https://dex.example.com?x=1',
    'https://dex.example.com/dex?',
    'https://dex.example.com#x',
    'https://dex.example.com/dex#',
    'https://id:secret@dex.example.com',
    'https://dex.example.com ',
    ' https://dex.example.com/dex',
    'https://dex.example.com/d\tex',
    'https://dex.example.com\\dex',
  ])('is refused by name, and not repeated: %j', issuer => {
    expect(make({ issuer })).toThrow(TypeError)
    expect(make({ issuer })).toThrow(/^issuer /)
    expect(make({ issuer })).not.toThrow(/secret@/)
  })
})

test('an issuer is asked at its own path, without credentials and without a redirect being followed', async () => {
  const server = await startRecordingServer((_, response) => {
    response.writeHead(302, { location: `${server.url}/elsewhere` })
    response.end()
  })
  await using _server = server
  const log = new RecordingLogger()
  const broker = new TokenBroker({
    issuer: `${server.url}/a/b/`,
    client: orders,
    clock: new ManualClock(),
    logger: log,
  })
  expect((await failureOf(broker.getToken())).status).toBe(502)
  server.answer = answerJson({})
  expect(server.requests.map(({ method, path }) => [method, path])).toEqual([['GET', `/a/b${discoveryPath}`]])
  expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
  await broker.close()
})
