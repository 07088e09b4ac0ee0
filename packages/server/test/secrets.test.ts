import { createHash } from 'node:crypto'
import type { DevDex, Fault } from '@broker/dev-dex'
import {
  ask,
  type RawAnswer,
  RawConnection,
  type RawRequest,
  redisNeed,
  startOtlpReceiver,
  startRedis,
  until,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { doctor } from './doctor/run-in-process.ts'
import { StoreVolume, sealingKey } from './shared-store/store-volume.ts'
import { type Command, runCommand } from './support/command.ts'
import { startDex } from './support/start-broker.ts'

// Each of them needs an encoding somewhere on its way: %, +, &, =, /, :, quotes, a blank.
const secrets = {
  good: 'Good+Secret%41:of&orders="x y"/z',
  wrong: 'Wrong+Secret%42:of&orders="x y"/z',
  store: 'Store+Secret%44:of&orders/z',
  static: 'St\u00e4tic+Secret%43:of&orders="x y"/z',
}
const clientId = 'orders'

/** Every spelling in which a secret could come out. */
function spellings(secret: string): string[] {
  const form = new URLSearchParams({ '': secret }).toString().slice(1)
  const pairs = [`${clientId}:${secret}`, `${clientId}:${form}`, secret, form, `Bearer ${secret}`]
  return [
    secret,
    form,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...pairs.flatMap(text =>
      (['base64', 'base64url', 'hex'] as const).map(encoding => Buffer.from(text).toString(encoding)),
    ),
    ...(['hex', 'base64', 'base64url'] as const).map(encoding =>
      createHash('sha256').update(secret).digest(encoding),
    ),
    // A part of it is too much as well.
    secret.slice(0, 12),
  ].map(text => text.replace(/=+$/, ''))
}

/** What may be shown to nobody: whole tokens, and each of their parts that is not the same for all. */
function partsOfToken(token: string): string[] {
  const [, claims = '', signature = ''] = token.split('.')
  return [token, ...[claims, signature].filter(part => part.length > 16)]
}

/** Everything that came out of the command, but for the header of a check that passed. */
class Witness {
  readonly #command: Command
  readonly #port: number
  #seen = ''
  readonly forbidden = new Set<string>()

  constructor(command: Command, port: number) {
    this.#command = command
    this.#port = port
    for (const secret of Object.values(secrets)) this.forbid(...spellings(secret))
  }

  forbid(...texts: string[]): void {
    for (const text of texts) this.forbidden.add(text)
  }

  async check(request: RawRequest): Promise<number> {
    const answer = await ask(this.#port, request)
    this.see(answer)
    return answer.status
  }

  /** The bytes that the collector got, as text. */
  seeSpans(requests: readonly { readonly body: string }[]): void {
    expect(requests.length).toBeGreaterThan(0)
    for (const { body } of requests) this.#seen += `${Buffer.from(body, 'latin1').toString('utf8')}\n`
  }

  seeText(text: string): void {
    this.#seen += `${text}\n`
  }

  see(answer: RawAnswer): void {
    if (answer.status !== 200) this.#seen += `${JSON.stringify(answer.headers)}\n${answer.body}\n`
    const token = /^Bearer (.+)$/.exec(answer.header('authorization') ?? '')?.[1]
    if (token !== undefined) this.forbid(...partsOfToken(token))
    this.#seen += answer.body
  }

  expectNothing(): void {
    const all = this.#seen + this.#command.output
    for (const text of this.forbidden) {
      const at = all.indexOf(text)
      expect(at === -1 ? undefined : all.slice(Math.max(0, at - 200), at + text.length)).toBeUndefined()
    }
    expect(all).not.toMatch(/\bBasic (?!credentials\b)[A-Za-z0-9+/_-]{8}/i)
    expect(all).not.toMatch(/\bBearer ey/i)
    // No token or JWT of anybody.
    expect(all).not.toMatch(/eyJ[\w-]+\.eyJ[\w-]+/)
  }
}

/** Answers that hold what they were asked with, in every place where an answer can hold something. */
function echoes(secret: string): Fault[] {
  const basic = Buffer.from(`${clientId}:${secret}`).toString('base64')
  const text = `the secret "${secret}" of Basic ${basic} is wrong`
  const oauth = (error: string) => JSON.stringify({ error, error_description: text, error_uri: text })
  const headers = { 'Content-Type': 'application/json', 'X-Echo': basic }
  const token = (fields: object) =>
    JSON.stringify({ access_token: 'abcdefghijklmnop', token_type: 'bearer', expires_in: 300, ...fields })
  const html = `<html><body><pre>${text}</pre></body></html>`
  return [
    ...[400, 401, 403, 404, 418, 429, 500, 503].map(
      status => ({ kind: 'answer', status, headers, body: oauth('invalid_client') }) as const,
    ),
    { kind: 'answer', status: 400, headers, body: oauth(secret) },
    { kind: 'answer', status: 401, headers, body: oauth(text) },
    { kind: 'answer', status: 400, headers, body: oauth('unsupported_grant_type') },
    { kind: 'answer', status: 401, headers: { 'WWW-Authenticate': `Basic realm="${basic}"` }, body: text },
    { kind: 'answer', status: 429, headers: { 'Retry-After': basic }, body: text },
    { kind: 'answer', status: 500, headers: { 'Content-Type': 'text/html' }, body: html },
    { kind: 'answer', status: 200, headers: { 'Content-Type': 'text/html' }, body: html },
    { kind: 'redirect', location: `http://127.0.0.1:1/?secret=${encodeURIComponent(secret)}&basic=${basic}` },
    { kind: 'answer', body: `{"access_token": "${basic}` },
    { kind: 'answer', body: token({ access_token: text }) },
    { kind: 'answer', body: token({ access_token: { nested: basic } }) },
    { kind: 'answer', body: token({ token_type: basic }) },
    { kind: 'answer', body: token({ expires_in: basic }) },
    { kind: 'answer', body: token({ tenant: `${text}\r\nx: y` }) },
    {
      kind: 'answer',
      status: 200,
      headers: { 'Content-Type': 'application/json', 'Content-Length': '999' },
      body: text,
    },
    { kind: 'answer', status: 200, headers: { 'Content-Encoding': 'gzip' }, body: text },
    { kind: 'reset' },
    { kind: 'reset', midBody: true },
    { kind: 'huge', bytes: 200_000 },
    { kind: 'missing_expires_in' },
    { kind: 'slow', delayMs: 600 },
  ]
}

async function startCommand(dex: DevDex, environment: Readonly<Record<string, string>>) {
  const collector = await startOtlpReceiver()
  const command = runCommand([], {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: dex.tokenEndpoint,
    HTTP_TIMEOUT: '400ms',
    NEGATIVE_CACHE_TTL: '0s',
    SHUTDOWN_TIMEOUT: '5s',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    UPSTREAM_TOKEN_HEADERS: 'tenant:x-tenant,id_token:x-id-token',
    ...environment,
  })
  const { port, adminPort = 0 } = await command.listening()
  const witness = new Witness(command, port)
  return {
    command,
    port,
    witness,
    /** Reads the metrics, ends the process, and looks at everything that came out. */
    async finish({ hasSpans = true } = {}) {
      witness.see(await ask(adminPort, { target: '/metrics' }))
      witness.see(await ask(adminPort, { target: '/readyz' }))
      const headers = { host: 'localhost' }
      for (const target of ['/', '/status']) {
        const page = await ask(adminPort, { target, headers })
        expect(page.status).toBe(200)
        witness.see(page)
      }
      witness.see(await ask(adminPort, { target: '/readyz?verbose', headers }))
      await using page = await RawConnection.open(adminPort)
      page.send({ target: '/status/events', headers })
      await until(() => page.rest.includes('data: '), 'the first event of an open page')
      witness.seeText(page.rest)
      command.kill('SIGTERM')
      await command.end()
      if (hasSpans) witness.seeSpans(collector.requests)
      expect(command.stderr).toBe('')
      witness.expectNothing()
    },
    async [Symbol.asyncDispose]() {
      await command[Symbol.asyncDispose]()
      await collector[Symbol.asyncDispose]()
    },
  }
}

const logs = [
  ['DEBUG', 'json', 'off'],
  ['DEBUG-4', 'text', 'all'],
  ['INFO', 'json', 'all'],
] as const

describe.each(logs)('at LOG_LEVEL=%s, LOG_FORMAT=%s, ACCESS_LOG=%s', (LOG_LEVEL, LOG_FORMAT, ACCESS_LOG) => {
  test("callers' credentials and tokens come out nowhere", async () => {
    await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.good }] })
    await using running = await startCommand(dex, { LOG_LEVEL, LOG_FORMAT, ACCESS_LOG })
    const { witness, port, command } = running
    const headers = { 'x-client-id': clientId, 'x-client-secret': secrets.good }
    const wrong = { ...headers, 'x-client-secret': secrets.wrong }

    expect(await witness.check({ headers })).toBe(200)
    expect(await witness.check({ headers: { ...headers, 'x-scope': 'openid' } })).toBe(200)
    expect(await witness.check({ headers })).toBe(200)
    expect(await witness.check({ headers: wrong })).toBe(401)
    expect(await witness.check({ headers: { ...headers, 'x-scope': 'nonsense' } })).toBe(401)
    expect(await witness.check({ headers: { 'x-client-secret': secrets.good } })).toBe(401)
    const repeated = [...Object.entries(headers), ['x-client-secret', secrets.wrong]] as const
    expect(await witness.check({ headers: repeated })).toBe(400)
    expect(await witness.check({ headers: { ...headers, 'x-client-secret': `${secrets.good}\u00e9` } })).toBe(
      400,
    )
    const tooLong = secrets.good + 'x'.repeat(5_000)
    expect(await witness.check({ headers: { ...headers, 'x-client-secret': tooLong } })).toBe(400)
    const target = `/check?client_secret=${encodeURIComponent(secrets.good)}`
    expect(await witness.check({ target, headers: wrong })).toBe(401)
    expect(await witness.check({ target: target.replace('/check', '/other'), headers })).toBe(404)
    expect(await witness.check({ headers: { ...headers, 'x-client-secret': `${secrets.good}\0` } })).toBe(400)
    const tooMuch = { ...headers, cookie: 'x'.repeat(100_000) }
    expect(await witness.check({ headers: tooMuch })).toBe(431)

    // Ids that hold what no line may hold, or that look like a line.
    const basic = Buffer.from(`${clientId}:${secrets.good}`).toString('base64')
    for (const id of [secrets.good, `Basic ${basic}`, `${basic}${basic}`, 'a","level":"fatal', 'a\tforged']) {
      const ids = { 'x-request-id': id, traceparent: `00-${id}-${id}-01` }
      expect(await witness.check({ headers: { ...headers, ...ids } })).toBe(200)
      expect(await witness.check({ headers: { ...wrong, ...ids } })).toBe(401)
      await witness.check({ headers: ids, target: `/other?secret=${encodeURIComponent(secrets.good)}` })
    }
    expect(command.output).not.toMatch(/forged|"level":"fatal"/)

    for (const fault of echoes(secrets.good)) {
      dex.setFault('token', fault)
      await witness.check({
        headers: { ...headers, 'x-scope': 'groups' },
      })
      dex.clearFaults()
    }
    for (const index of echoes('').keys()) {
      // Dex can echo only the secret that it was sent.
      const secret = `${secrets.wrong}${index}`
      dex.setFault('token', echoes(secret)[index])
      await witness.check({ headers: { ...headers, 'x-client-secret': secret } })
      dex.clearFaults()
    }
    // A client that hangs up in the middle of its secret, and one that sends no HTTP at all.
    await using cut = await RawConnection.open(port)
    cut.write(`GET /check HTTP/1.1\r\nx-client-secret: ${secrets.good}`)
    cut.reset()
    await using garbage = await RawConnection.open(port)
    garbage.write(`${secrets.good}\r\n\r\n`)
    witness.see(await garbage.answer())

    await until(() => command.stdout.includes('token request failed'), 'the log')
    await running.finish()
  })

  test('Basic credentials of callers come out nowhere', async () => {
    await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.good }] })
    await using running = await startCommand(dex, {
      LOG_LEVEL,
      LOG_FORMAT,
      ACCESS_LOG,
      ACCEPT_BASIC: 'true',
      ALLOWED_CLIENT_IDS: clientId,
    })
    const { witness, command } = running
    const form = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
    const pair = (secret: string, id = clientId) =>
      Buffer.from(`${form(id)}:${form(secret)}`).toString('base64')
    const check = (authorization: string) => witness.check({ headers: { authorization } })
    const good = pair(secrets.good)
    const wrong = pair(secrets.wrong)
    witness.forbid(good, wrong)

    expect(await check(`Basic ${good}`)).toBe(200)
    expect(await check(`Basic ${wrong}`)).toBe(401)
    expect(await check(`Basic ${pair(secrets.good, 'other')}`)).toBe(403)
    expect(await check(`Bearer ${good}`)).toBe(401)
    for (const malformed of [
      `Basic ${good}!`,
      `Basic ${good.slice(0, -1)}`,
      `Basic ${good}, Basic ${wrong}`,
      `Basic ${Buffer.from(`${clientId}:${secrets.good}%zz`).toString('base64')}`,
      `Basic ${Buffer.from(`${clientId}:${secrets.good}%00`).toString('base64')}`,
      `Basic ${Buffer.from(form(secrets.good)).toString('base64')}`,
      `Basic ${pair(secrets.good + 'x'.repeat(5_000))}`,
    ]) {
      expect(await check(malformed)).toBe(400)
    }
    const both = { authorization: `Basic ${good}`, 'x-client-secret': secrets.good }
    expect(await witness.check({ headers: both })).toBe(400)
    const twice = [
      ['authorization', `Basic ${good}`],
      ['authorization', `Basic ${wrong}`],
    ] as const
    expect(await witness.check({ headers: twice })).toBe(400)
    await until(() => command.stdout.includes('token request failed'), 'the log')
    await running.finish()
  })

  test("a shared store's password, keys and tokens come out nowhere", needs(redisNeed()), async () => {
    await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.good }] })
    const aclUser = { name: 'broker', password: secrets.store, rules: '~* +@all' }
    await using redis = await startRedis({ aclUser })
    const keys = [sealingKey(), sealingKey()] as const
    using volume = new StoreVolume([keys[0]], { password: secrets.wrong })
    await using running = await startCommand(dex, {
      ...volume.environment(`redis://127.0.0.1:${redis.port}`),
      LOG_LEVEL,
      LOG_FORMAT,
      ACCESS_LOG,
      CACHE_MAX_ENTRIES: '0',
      SHARED_STORE_USERNAME: aclUser.name,
    })
    const { witness, command } = running
    for (const key of keys) witness.forbid(...spellings(key), Buffer.from(key, 'base64').toString('hex'))
    const check = async () =>
      expect(
        await witness.check({ headers: { 'x-client-id': clientId, 'x-client-secret': secrets.good } }),
      ).toBe(200)
    const reloaded = async (text: string) => {
      const { length } = command.stdout
      command.kill('SIGHUP')
      await until(() => command.stdout.slice(length).includes(text), 'the log')
      await check()
    }

    await check()
    await until(() => command.stdout.includes('shared store refused the broker'), 'the log')
    volume.change({ password: secrets.store })
    await reloaded('configuration reloaded')
    await until(() => command.stdout.includes('connected to the shared store'), 'the log')
    // A circuit that has opened makes its next call after a second.
    await until(async () => {
      await check()
      return String(await redis.ask('KEYS', '*')).includes(':token:')
    }, 'a record')
    volume.changeKeys(keys[1], keys[0])
    await reloaded('configuration reloaded')
    volume.changeKeys(`${keys[0]}${keys[1]}`)
    await reloaded('configuration files have faults')
    const [name = ''] = String(await redis.ask('KEYS', '*:token:*')).split(',')
    await redis.ask('HSET', name, 'value', secrets.good)
    await check()
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
    await check()
    await redis.kill()
    await check()
    await running.finish()
  })

  test("the configured secret, callers' JWTs and the answers of a broken issuer come out nowhere", async () => {
    await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.static }] })
    const exp = Math.floor(Date.now() / 1000) + 600
    const signed = (claims: object = {}, options = {}) =>
      dex.signJwt({ iss: dex.issuer, exp, secretClaim: secrets.good, ...claims }, options)
    // Before the start, because the broker loads the key set at once.
    const [inError, inKeys] = [signed(), signed()]
    const body = JSON.stringify({ error: inError, keys: [inKeys] })
    dex.setFault('keys', { kind: 'answer', status: 500, body })
    await using running = await startCommand(dex, {
      LOG_LEVEL,
      LOG_FORMAT,
      ACCESS_LOG,
      STATIC_CLIENT_ID: clientId,
      STATIC_CLIENT_SECRET: secrets.static,
      JWKS_URL: dex.jwksUri,
      JWT_ISSUER: dex.issuer,
      CACHE_MAX_ENTRIES: '0',
      JWKS_MAX_AGE: '1s',
    })
    const { witness, command } = running
    witness.forbid(...partsOfToken(inError), ...partsOfToken(inKeys))
    const jwt = (claims: object = {}, options = {}) => {
      const made = signed(claims, options)
      witness.forbid(...partsOfToken(made))
      return made
    }
    // While the key set is unavailable.
    for (const status of [500, 200]) {
      dex.setFault('keys', { kind: 'answer', status, body })
      const { keysRequests } = dex.counts
      const authorization = `Bearer ${jwt()}`
      await until(async () => {
        expect(await witness.check({ headers: { authorization } })).toBe(503)
        return dex.counts.keysRequests > keysRequests
      }, 'the next try')
    }
    dex.clearFaults()
    await until(
      async () => (await witness.check({ headers: { authorization: `Bearer ${jwt()}` } })) === 200,
      'a token',
    )

    expect(
      await witness.check({ headers: { authorization: `Bearer ${jwt()}`, 'x-request-id': jwt() } }),
    ).toBe(200)
    const bad = [
      jwt({ exp: 1 }),
      jwt({ iss: 'https://other.example' }),
      jwt({ nbf: exp }),
      jwt({}, { alg: 'none' }),
      jwt({}, { alg: 'HS256' }),
      jwt({}, { kid: secrets.good }),
      jwt({}, { header: { crit: [secrets.good] } }),
      jwt({}, { header: { typ: `${secrets.good}+jwt` } }),
      `${jwt()}x`,
      jwt().slice(0, -3),
      `${jwt()}, ${jwt()}`,
      secrets.good,
      `x.${Buffer.from(secrets.good).toString('base64url')}.y`,
      jwt({ filler: 'x'.repeat(17_000) }),
    ]
    for (const text of bad) {
      const headers = {
        authorization: `Bearer ${text}`,
        'x-request-id': text.slice(0, 4_000),
        traceparent: text.slice(0, 4_000),
      }
      expect(await witness.check({ headers })).toBe(401)
    }
    const twice = [
      ['authorization', jwt()],
      ['authorization', jwt()],
    ] as const
    expect(await witness.check({ headers: twice })).toBe(400)

    for (const fault of echoes(secrets.static)) {
      dex.setFault('token', fault)
      await witness.check({ headers: { authorization: `Bearer ${jwt()}` } })
      dex.clearFaults()
    }
    await until(() => command.stdout.includes('token request failed'), 'the log')
    expect(command.stdout).toContain(LOG_LEVEL === 'INFO' ? 'JWTs refused' : 'JWT refused')
    await running.finish()
  })
})

describe('secrets in URLs and headers of the configuration', () => {
  /** In the query, where `url` is a base. */
  const withKey = (url: string, key: string) => `${url}?key=${encodeURIComponent(key)}`

  test.each(['answer', 'do not answer'])(
    'come out nowhere while the servers %s',
    async state => {
      await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.good }] })
      const dead = { tokenEndpoint: 'http://127.0.0.1:1/token', jwksUri: 'http://127.0.0.1:1/keys' }
      const { tokenEndpoint, jwksUri } = state === 'answer' ? dex : dead
      const environment = {
        LOG_LEVEL: 'DEBUG-4',
        ACCESS_LOG: 'all',
        DEX_TOKEN_URL: withKey(tokenEndpoint, secrets.good),
        JWKS_URL: withKey(jwksUri, secrets.wrong),
        JWT_AUDIENCE: 'shop',
        STATIC_CLIENT_ID: clientId,
        STATIC_CLIENT_SECRET: secrets.good,
        OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${encodeURIComponent(secrets.store)}`,
        ...(state !== 'answer' && { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }),
      }
      await using running = await startCommand(dex, environment)
      const { witness } = running
      const claims = { iss: dex.issuer, aud: 'shop', sub: 'somebody', exp: 4_000_000_000 }
      const headers = { authorization: `Bearer ${dex.signJwt(claims)}` }
      for (let count = 0; count < 3; count++) await witness.check({ headers })
      const show = async (...args: string[]) => {
        const addresses = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }
        await using command = runCommand(args, { ...addresses, HTTP_TIMEOUT: '1s', ...environment })
        await command.end(20_000)
        expect(command.stdout).toContain('127.0.0.1')
        witness.seeText(command.output)
      }
      await Promise.all([show('doctor'), show('doctor', '--json'), show('--check-config')])
      await running.finish({ hasSpans: state === 'answer' })
    },
    40_000,
  )
})

describe('doctor', () => {
  test('shows no configured secret and no token, whatever Dex answers', async () => {
    await using dex = await startDex({ clients: [{ id: clientId, secret: secrets.static }] })
    const environment = {
      DEX_ISSUER: dex.issuer,
      JWT_AUDIENCE: 'shop',
      STATIC_CLIENT_ID: clientId,
      STATIC_CLIENT_SECRET: secrets.static,
      STATIC_SCOPE: 'groups',
      HTTP_TIMEOUT: '400ms',
    }
    const forbidden = spellings(secrets.static)
    for (const fault of [undefined, ...echoes(secrets.static)]) {
      if (fault !== undefined) dex.setFault('token', fault)
      const { text } = await doctor(environment)
      dex.clearFaults()
      expect(text).toContain('token endpoint')
      for (const secret of forbidden) expect(text).not.toContain(secret)
      expect(text).not.toMatch(/eyJ[\w-]+\.eyJ[\w-]+/)
    }
  })
})

describe('at the start', () => {
  test.each([[[]], [['--check-config']]])(
    'a configured secret comes out nowhere, faults or not: %j',
    async args => {
      for (const environment of [
        { STATIC_CLIENT_SECRET: secrets.static, STATIC_CLIENT_ID: clientId, HTTP_TIMEOUT: 'nonsense' },
        { STATIC_CLIENT_SECRET: `${secrets.static}\u0007`, STATIC_CLIENT_ID: clientId },
        { STATIC_CLIENT_SECRET: secrets.static.repeat(200), STATIC_CLIENT_ID: clientId },
        { SHARED_STORE_URL: `redis://:${encodeURIComponent(secrets.static)}@valkey:6379` },
        { DEX_TOKEN_URL: `https://orders:${encodeURIComponent(secrets.static)}@dex.example/token` },
      ]) {
        await using command = runCommand(args, environment)
        expect(await command.end()).toEqual({ code: 1, signal: null })
        for (const text of spellings(secrets.static)) expect(command.output).not.toContain(text)
      }
    },
  )
})
