import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { startRecordingServer } from '@broker/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failureOf } from '../broker-with-dex.ts'
import { type Algorithm, CallersKey, compactJws, type Gate, startGate } from './callers-issuer.ts'

const rsa = new CallersKey('RS256')
const ec = new CallersKey('ES256')
const published = [rsa.jwk(), ec.jwk()]

/** The reason that goes to the log. A check refuses the JWT too, also when the keys were used before. */
async function refusalOf(jwt: string, gate: Parameters<typeof startGate>[1] = {}) {
  await using running = await startGate(published, gate)
  const failure = await failureOf(running.broker.verify(jwt))
  expect(failure).toMatchObject({ code: 'invalid_token', status: 401, message: 'the JWT is not acceptable' })
  const fetches = running.server.requests.length
  for (const key of [rsa, ec]) {
    // A gate with other rules refuses these too, before it looks for a key: then nothing has changed for it.
    await running.broker.verify(key.jwt({ ...claims, exp: farFuture + 1 })).catch(() => {})
  }
  // White space around a header's value is not part of it.
  const isHeader = jwt === jwt.trim()
  if (isHeader) expect(await checked(running, jwt)).toMatchObject({ code: 'invalid_token', status: 401 })
  return { reason: (failure.cause as Error).message, fetches }
}

/** The verdict without waiting, if there is one: the way of every check. */
async function checked({ broker }: Gate, jwt: string) {
  const request = { headers: ['authorization', jwt] }
  return await broker.decide(request)
}

const farFuture = Date.parse('2030-01-01T01:00:00Z') / 1000
const claims = { iss: 'https://issuer.example.com', aud: 'svc', sub: 'alice', exp: farFuture }

describe('algorithms', () => {
  test.each<Algorithm>(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])(
    '%s is accepted',
    async algorithm => {
      const key = new CallersKey(algorithm)
      await using running = await startGate([key.jwk()])
      await expect(running.broker.verify(key.jwt(running.claims()))).resolves.toMatchObject({
        subject: 'alice',
      })
    },
  )

  test.each<[string, () => string]>([
    ['none', () => `${compactJws({ alg: 'none' }, claims, () => Buffer.alloc(0))}`],
    ['none with a signature', () => rsa.jwt(claims, { alg: 'none' })],
    ['NONE', () => rsa.jwt(claims, { alg: 'NONE' })],
    [
      'HS256 keyed with the public key',
      () => {
        const secret = rsa.publicKey.export({ format: 'pem', type: 'spki' })
        return compactJws({ alg: 'HS256', kid: rsa.kid }, claims, input =>
          createHmac('sha256', secret).update(input).digest(),
        )
      },
    ],
    [
      'PS256',
      () =>
        compactJws({ alg: 'PS256', kid: rsa.kid }, claims, input =>
          sign('sha256', input, {
            key: rsa.privateKey,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: 32,
          }),
        ),
    ],
    [
      'EdDSA',
      () =>
        compactJws({ alg: 'EdDSA' }, claims, input =>
          sign(null, input, generateKeyPairSync('ed25519').privateKey),
        ),
    ],
    ['no algorithm', () => rsa.jwt(claims, { alg: undefined })],
    ['a list of algorithms', () => rsa.jwt(claims, { alg: ['RS256'] })],
    ['a name of Object.prototype', () => rsa.jwt(claims, { alg: 'constructor' })],
    ['crit', () => rsa.jwt(claims, { crit: ['exp'], exp: 1 })],
    ['an empty crit', () => rsa.jwt(claims, { crit: [] })],
    ['crit null', () => rsa.jwt(claims, { crit: null })],
    ['b64 false', () => rsa.jwt(claims, { b64: false })],
    ['b64 true', () => rsa.jwt(claims, { b64: true })],
    ['a kid that is not a string', () => rsa.jwt(claims, { kid: 1 })],
    ['a logout token', () => rsa.jwt(claims, { typ: 'logout+jwt' })],
    ['a security event', () => rsa.jwt(claims, { typ: 'application/SecEvent+JWT' })],
    ['a typ that is no string', () => rsa.jwt(claims, { typ: 7 })],
    ['a logout token with a blank after its typ', () => rsa.jwt(claims, { typ: 'logout+jwt ' })],
    ['a logout token with a blank before its typ', () => rsa.jwt(claims, { typ: '\tlogout+jwt' })],
    ['a logout token with a parameter', () => rsa.jwt(claims, { typ: 'logout+jwt;v=1' })],
    [
      'a logout token with a parameter, in full',
      () => rsa.jwt(claims, { typ: 'application/logout+jwt; v=1' }),
    ],
    ['a logout token with an invisible character', () => rsa.jwt(claims, { typ: 'logout+jwt\u200b' })],
    ['a logout token of another media type', () => rsa.jwt(claims, { typ: 'text/logout+jwt' })],
    [
      'a logout token without typ',
      () =>
        rsa.jwt(
          { ...claims, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
          { typ: undefined },
        ),
    ],
    [
      'a security event that calls itself a JWT',
      () => rsa.jwt({ ...claims, events: { 'urn:ietf:params:scim:event:create': { ref: 'x' } } }),
    ],
  ])('%s is refused before any key is fetched', async (_, jwt) => {
    expect((await refusalOf(jwt())).fetches).toBe(0)
  })

  test.each([
    'JWT',
    'jwt',
    'at+jwt',
    'AT+JWT',
    'application/at+jwt',
    'application/at+jwt; v=1',
    'Access Token',
    '',
    undefined,
  ])('typ %s is accepted', async typ => {
    await using running = await startGate(published)
    await expect(running.broker.verify(ec.jwt(claims, { typ }))).resolves.toBeDefined()
  })

  test('a key that the JWT brings itself, or points to, counts for nothing', async () => {
    await using attacker = await startRecordingServer((_, response) => response.end())
    const own = new CallersKey('RS256', { kid: rsa.kid })
    const jwk = own.jwk()
    await using running = await startGate(published)
    for (const header of [{ jwk }, { jku: attacker.url }, { x5u: attacker.url }, { x5c: ['AAAA'] }]) {
      for (const kid of [rsa.kid, undefined]) {
        const failure = await failureOf(running.broker.verify(own.jwt(claims, { ...header, kid })))
        expect(failure.code).toBe('invalid_token')
      }
    }
    expect(attacker.requests).toEqual([])
    expect(running.server.requests.map(({ path }) => path)).toEqual(['/keys'])
  })
})

describe('a claim that is only called events', () => {
  test.each<[unknown]>([[['login']], ['login'], [7], [null], [{}], [{ login: 1 }]])(
    '%j is accepted',
    async events => {
      await using running = await startGate(published)
      await expect(running.broker.verify(ec.jwt({ ...claims, events }))).resolves.toMatchObject({
        subject: 'alice',
      })
    },
  )
})

describe('form and size', () => {
  test.each([
    '',
    '.',
    '..',
    'a.b',
    'a.b.c.d',
    'e30.e30.',
    '.e30.AA',
    'e30..AA',
    'not a jwt',
    'eyJhbGciOiJSUzI1NiJ9.e30.AA==',
    'eyJhbGciOiJSUzI1NiJ9.e3+/.AA',
    `${rsa.jwt(claims)}\n`,
    ` ${rsa.jwt(claims)}`,
    `${rsa.jwt(claims)},${rsa.jwt(claims)}`,
    `${rsa.jwt(claims)} ${rsa.jwt(claims)}`,
    'bnVsbA.e30.AA',
    'W10.e30.AA',
  ])('%.30j is refused before any key is fetched', async jwt => {
    expect((await refusalOf(jwt)).fetches).toBe(0)
  })

  test.each(['null', '[]', '"x"', '1', '{', '', '\u0000'])('the claims set %j is refused', async text => {
    expect((await refusalOf(ec.jwt(text))).fetches).toBe(0)
  })

  test('bytes that are no UTF-8 are refused: two subjects would become one', async () => {
    const text = Buffer.from(JSON.stringify({ ...claims, sub: 'al?ce' }))
    text[text.indexOf('?')] = 0xff
    const signed = compactJws({ alg: 'ES256', kid: ec.kid }, text.toString('latin1'), () => Buffer.alloc(64))
    const payload = text.toString('base64url')
    const [header] = signed.split('.') as [string]
    const signature = sign('sha256', Buffer.from(`${header}.${payload}`), {
      key: ec.privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    const { reason, fetches } = await refusalOf(`${header}.${payload}.${signature.toString('base64url')}`)
    expect(reason).toBe('the claims set is not a JSON object')
    expect(fetches).toBe(0)
  })

  test('16 KiB are accepted, one character more is refused unread', async () => {
    const short = ec.jwt({ ...claims, pad: '' }).length
    const ofLength = (length: number) => {
      let jwt = ''
      for (let pad = Math.floor(((length - short) * 3) / 4) - 3; jwt.length < length; pad++) {
        jwt = ec.jwt({ ...claims, pad: 'x'.repeat(pad) })
      }
      return jwt
    }
    const longest = ofLength(16 * 1024)
    expect(longest).toHaveLength(16 * 1024)
    await using running = await startGate(published)
    await expect(running.broker.verify(longest)).resolves.toBeDefined()
    expect((await refusalOf(ofLength(16 * 1024 + 1))).reason).toContain('16 KiB')
    expect((await refusalOf('x'.repeat(10_000_000))).reason).toContain('16 KiB')
  })
})

describe('claims', () => {
  test.each<[string, string]>([
    ['missing', `{"aud":"svc"}`],
    ['a string', `{"exp":"${farFuture}"}`],
    ['null', `{"exp":null}`],
    ['1e999', `{"exp":1e999}`],
    ['negative', `{"exp":-1}`],
    ['-0', `{"exp":-0}`],
    ['a list', `{"exp":[${farFuture}]}`],
    ['inherited only', `{"__proto__":{"exp":${farFuture}}}`],
  ])('exp %s is refused', async (_, text) => {
    expect((await refusalOf(ec.jwt(text))).fetches).toBe(0)
  })

  test.each([
    [0, false],
    [1, false],
    [-1, true],
  ])('at exp %+i ms the JWT is accepted: %s', async (ms, accepted) => {
    await using running = await startGate(published)
    const jwt = ec.jwt(running.claims({ exp: running.clock.wall() / 1000 + 10 }))
    running.clock.advance(10_000 + ms)
    const outcome = await running.broker.verify(jwt).then(
      () => true,
      () => false,
    )
    expect(outcome).toBe(accepted)
  })

  test('the clock tolerance moves both ends, exactly', async () => {
    await using running = await startGate(published, { clockToleranceMs: 5_000 })
    const now = running.clock.wall() / 1000
    const jwt = ec.jwt(running.claims({ nbf: now + 5, exp: now + 10 }))
    await expect(running.broker.verify(jwt)).resolves.toBeDefined()
    running.clock.advance(14_999)
    await expect(running.broker.verify(jwt)).resolves.toBeDefined()
    running.clock.advance(1)
    expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
    const early = ec.jwt(running.claims({ nbf: running.clock.wall() / 1000 + 5.001, exp: farFuture * 2 }))
    expect((await failureOf(running.broker.verify(early))).code).toBe('invalid_token')
  })

  test.each<[unknown]>([[farFuture - 1], ['0'], [null], [{}]])('nbf %j is refused', async nbf => {
    await refusalOf(ec.jwt({ ...claims, nbf }))
  })

  test.each<[unknown]>([
    ['https://issuer.example.com/'],
    ['HTTPS://issuer.example.com'],
    [undefined],
    [['https://issuer.example.com']],
  ])('iss %j is not the expected one', async iss => {
    const { reason, fetches } = await refusalOf(ec.jwt({ ...claims, iss }), {
      issuer: 'https://issuer.example.com',
    })
    expect(reason).toContain('iss')
    expect(fetches).toBe(0)
  })

  test.each<[unknown]>([
    ['other'],
    ['svc '],
    ['svc,other'],
    [''],
    [[]],
    [['other']],
    [[['svc']]],
    [{ 0: 'svc' }],
    [7],
    [null],
    [undefined],
    [true],
  ])('aud %j does not name us', async aud => {
    const { reason, fetches } = await refusalOf(ec.jwt({ ...claims, aud }), { audience: ['svc', 'svc2'] })
    expect(reason).toContain('aud')
    expect(fetches).toBe(0)
  })

  test.each<[unknown]>([['svc'], ['svc2'], [['other', 'svc2']], [['svc', 7]]])(
    'aud %j names us',
    async aud => {
      await using running = await startGate(published, { audience: ['svc', 'svc2'] })
      await expect(running.broker.verify(ec.jwt(running.claims({ aud })))).resolves.toMatchObject({
        claims: { aud },
      })
    },
  )
})

describe('nested claims', () => {
  const nested = (depth: number) => `{"exp":${farFuture},"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`

  test('are accepted to a depth of 64, the claims set included', async () => {
    await using running = await startGate(published)
    const { claims: accepted } = await running.broker.verify(ec.jwt(nested(63)))
    expect(Object.isFrozen(accepted['deep'])).toBe(true)
  })

  test.each([64, 5_500])('%i lists deep are refused, and never a fault of ours', async depth => {
    await using running = await startGate(published)
    const jwt = ec.jwt(nested(depth))
    for (const _ of ['first', 'again']) {
      expect(await checked(running, jwt)).toMatchObject({ status: 401, code: 'invalid_token' })
    }
  })
})

describe('a JWT that was changed', () => {
  const valid = ec.jwt(claims)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

  test('in any one character is refused', async () => {
    await using running = await startGate(published)
    await running.broker.verify(valid)
    for (let at = 0; at < valid.length; at++) {
      const other = alphabet[(alphabet.indexOf(valid[at] as string) + 1 + (at % 62)) % 64] as string
      if (other === valid[at]) continue
      const jwt = valid.slice(0, at) + other + valid.slice(at + 1)
      expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
    }
  })

  test.each([
    ['ES256', ec],
    ['RS256', rsa],
  ])('in the spare bits of its signature is refused: there is one spelling of a JWT (%s)', async (_, key) => {
    await using running = await startGate(published)
    const jwt = key.jwt(claims)
    await running.broker.verify(jwt)
    for (const last of alphabet) {
      if (jwt.endsWith(last)) continue
      expect((await failureOf(running.broker.verify(jwt.slice(0, -1) + last))).code).toBe('invalid_token')
    }
  })

  test('in any way at all is refused as invalid_token, and nothing else is ever thrown', async () => {
    await using running = await startGate(published)
    await running.broker.verify(valid)
    const [header, payload, signature] = valid.split('.') as [string, string, string]
    const position = fc.nat(valid.length - 1)
    const mutation = fc.oneof(
      fc
        .tuple(position, fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }))
        .map(([at, text]) => valid.slice(0, at) + text + valid.slice(at + 1)),
      position.map(at => valid.slice(0, at)),
      position.map(at => valid.slice(at + 1)),
      position.map(at => valid.slice(0, at) + valid.slice(at + 1)),
      fc.constantFrom(
        `${payload}.${header}.${signature}`,
        `${header}.${signature}.${payload}`,
        `${header}.${header}.${signature}`,
        `${valid}=`,
        `${valid}A`,
        `${valid}AAAA`,
        `${valid}.${signature}`,
        `${header}.${payload}.${ec.jwt({ ...claims, sub: 'mallory' }).split('.')[2]}`,
        `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      ),
      fc.string({ unit: 'binary' }),
      fc.json().map(json => `${Buffer.from(json).toString('base64url')}.${payload}.${signature}`),
      fc.json().map(json => `${header}.${Buffer.from(json).toString('base64url')}.${signature}`),
      fc.json().map(json => compactJws({ alg: 'ES256', kid: ec.kid }, json, () => Buffer.alloc(64))),
    )
    await fc.assert(
      fc.asyncProperty(mutation, async jwt => {
        fc.pre(jwt !== valid)
        expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
        fc.pre(jwt.trim() !== valid)
        expect(await checked(running, jwt)).toMatchObject({ code: 'invalid_token' })
      }),
      { numRuns: 1_000 },
    )
  })

  test('signed rubbish is either accepted as claims or refused, and nothing else is ever thrown', async () => {
    await using running = await startGate(published)
    const anyClaims = fc.record(
      {
        exp: fc.oneof(fc.constant(farFuture), fc.anything()),
        nbf: fc.anything(),
        aud: fc.anything(),
        iss: fc.anything(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(anyClaims, async claims => {
        const text = safeJson(claims)
        fc.pre(text !== undefined)
        const outcome = await running.broker.verify(ec.jwt(text as string)).catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'invalid_token' })
        else expect(outcome).toMatchObject({ claims: JSON.parse(text as string) })
      }),
      { numRuns: 300 },
    )
  })
})

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
