import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BrokerEvent } from '../../src/shared/broker-event.ts'
import type { JwtRefusalReason } from '../../src/shared/jwt-refusal-reason.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { CallersKey, compactJws, type Gate, startGate } from './callers-issuer.ts'

const key = new CallersKey('ES256', { kid: 'known' })
const other = new CallersKey('ES256', { kid: 'known' })
const rsa = new CallersKey('RS256', { kid: 'encrypting' })
const published = [key.jwk(), rsa.jwk({ use: 'enc' })]
const rules = { issuer: 'https://issuer.example.com', audience: ['svc', 'svc2'] }

async function startObserved(keys: readonly unknown[] = published, gate: object = rules) {
  const events: BrokerEvent[] = []
  const log = new RecordingLogger()
  const running = await startGate(keys, gate, { logger: log, observe: event => events.push(event) })
  return {
    ...running,
    log,
    /** Reasons that the observer was told. */
    reasons: () => events.flatMap(event => (event.type === 'jwt_refusal' ? [event.reason] : [])),
    warnings: () => log.lines.filter(({ level }) => level === 'warn'),
    [Symbol.asyncDispose]: running[Symbol.asyncDispose],
  }
}

function refuse({ broker }: Pick<Gate, 'broker'>, jwt: string) {
  return broker.check({ headers: ['authorization', `Bearer ${jwt}`] })
}

const cases: [JwtRefusalReason, string, (gate: Gate) => string][] = [
  ['missing', 'no JWT', () => ''],
  ['malformed', 'junk', () => 'not.a.jwt'],
  ['malformed', 'a text of 20 KiB', () => 'x'.repeat(20_000)],
  ['malformed', 'a kid that is not a string', gate => key.jwt(gate.claims(), { kid: 7 })],
  ['algorithm', 'PS256', gate => key.jwt(gate.claims(), { alg: 'PS256' })],
  ['unsupported', 'a critical header', gate => key.jwt(gate.claims(), { crit: ['exp'] })],
  ['unsupported', 'a logout token', gate => key.jwt(gate.claims(), { typ: 'logout+jwt' })],
  ['issuer', 'another issuer', gate => key.jwt(gate.claims({ iss: 'https://other.example.com' }))],
  ['audience', 'another audience', gate => key.jwt(gate.claims({ aud: ['web', 'mobile'] }))],
  ['expired', 'the day before', gate => key.jwt(gate.claims({ exp: gate.clock.wall() / 1000 - 86_400 }))],
  [
    'not_yet_valid',
    'a clock that is ahead',
    gate => key.jwt(gate.claims({ nbf: gate.clock.wall() / 1000 + 700 })),
  ],
  ['claims', 'no exp', gate => key.jwt(gate.claims({ exp: undefined }))],
  ['unknown_key', 'a kid that is nowhere', gate => key.jwt(gate.claims(), { kid: 'retired' })],
  ['unusable_key', 'a key for encryption', gate => rsa.jwt(gate.claims())],
  ['unusable_key', 'a key for another algorithm', gate => rsa.jwt(gate.claims(), { kid: 'known' })],
  ['signature', 'a forger', gate => other.jwt(gate.claims())],
]

describe('a refused JWT', () => {
  test.each(cases)('is told to the observer and to the log as %s: %s', async (reason, _, jwt) => {
    await using running = await startObserved()
    const verdict = await refuse(running, jwt(running))
    expect(verdict).toMatchObject({ status: 401, code: 'invalid_token' })
    expect(running.reasons()).toEqual([reason])
    expect(running.warnings()).toMatchObject([{ fields: { reason, count: 1 } }])
  })

  test('is told once by whatever way it comes, and an accepted one never', async () => {
    await using running = await startObserved()
    const expired = key.jwt(running.claims({ exp: 1 }))
    const { broker } = running
    await broker.verify(expired).catch(() => {})
    await broker.authenticate({ headers: ['authorization', expired] }).catch(() => {})
    await refuse(running, expired)
    expect(running.reasons()).toEqual(['expired', 'expired', 'expired'])
    for (const _ of ['first', 'again']) await broker.verify(key.jwt(running.claims()))
    expect(running.reasons()).toHaveLength(3)
  })

  test('for which there are no keys is none: the fault is ours', async () => {
    await using running = await startObserved()
    running.server.answer = (_, response) => response.writeHead(500).end()
    expect(await refuse(running, key.jwt(running.claims()))).toMatchObject({ code: 'jwks_unavailable' })
    expect(running.reasons()).toEqual([])
  })
})

describe('the warning', () => {
  const fieldsOf = async (jwt: (gate: Gate) => string, keys: readonly unknown[] = published) => {
    await using running = await startObserved(keys)
    await refuse(running, jwt(running))
    return running.warnings()[0]?.fields
  }

  test('of another audience says which was expected and which was seen', async () => {
    expect(await fieldsOf(gate => key.jwt(gate.claims({ aud: ['web', 7] })))).toEqual({
      reason: 'audience',
      why: 'aud does not contain an expected audience',
      count: 1,
      alg: 'ES256',
      kid: 'known',
      iss: 'https://issuer.example.com',
      aud: ['web', '(number)'],
      expectedAud: ['svc', 'svc2'],
      hint: expect.stringContaining('gate.audience'),
    })
  })

  test('of another issuer says which was expected', async () => {
    expect(
      await fieldsOf(gate => key.jwt(gate.claims({ iss: 'https://issuer.example.com/' }))),
    ).toMatchObject({
      iss: 'https://issuer.example.com/',
      expectedIss: 'https://issuer.example.com',
    })
  })

  test('of a clock that is wrong says by how many seconds', async () => {
    const now = (gate: Gate) => gate.clock.wall() / 1000
    expect(await fieldsOf(gate => key.jwt(gate.claims({ exp: now(gate) - 700 })))).toMatchObject({
      secondsPastExp: 700,
    })
    expect(await fieldsOf(gate => key.jwt(gate.claims({ nbf: now(gate) + 700 })))).toMatchObject({
      secondsBeforeNbf: 700,
    })
  })

  test.each([
    [
      'gate.issuer',
      'of another issuer',
      (gate: Gate) => gate.claims({ iss: 'https://other.example.com' }),
      {},
    ],
    ['gate.clockToleranceMs', 'expired', (gate: Gate) => gate.claims({ exp: 1 }), {}],
    ['gate.clockToleranceMs', 'not valid yet', (gate: Gate) => gate.claims({ nbf: 1e11 }), {}],
    ['gate.jwksUri', 'signed by an unknown key', (gate: Gate) => gate.claims(), { kid: 'retired' }],
  ])('has a hint that names %s for a JWT that is %s', async (option, _, claims, header) => {
    const fields = await fieldsOf(gate => key.jwt(claims(gate), header))
    expect(fields?.['hint']).toContain(option)
  })

  test('of a wrong signature has no hint: no setting is the cause', async () => {
    expect((await fieldsOf(gate => other.jwt(gate.claims())))?.['hint']).toBeUndefined()
  })

  test('says why no key fits', async () => {
    const nameless = { kid: undefined }
    const two = [key.jwk(), new CallersKey('ES256', { kid: 'second' }).jwk()]
    const whyOf = async (...args: Parameters<typeof fieldsOf>) => (await fieldsOf(...args))?.['why']
    expect(await whyOf(gate => key.jwt(gate.claims(), nameless), two)).toBe(
      'it has no kid, and several keys fit',
    )
    expect(await whyOf(gate => key.jwt(gate.claims(), nameless), [rsa.jwk()])).toBe(
      'it has no kid, and no key is for ES256',
    )
    expect(await whyOf(gate => key.jwt(gate.claims()), [key.jwk(nameless)])).toBe(
      'it has a kid, and the keys have none',
    )
    expect(await whyOf(gate => rsa.jwt(gate.claims()))).toBe('its key cannot be used: it is for encryption')
    expect(await whyOf(gate => key.jwt(gate.claims(), { kid: 'x' }))).toBe('its kid is not in the key set')
  })

  test('of requests without a JWT names the header that was looked for', async () => {
    await using running = await startObserved(published, { ...rules, jwtHeader: 'X-Jwt' })
    await running.broker.check({ headers: ['authorization', `Bearer ${key.jwt(running.claims())}`] })
    expect(running.warnings()).toMatchObject([
      {
        fields: {
          reason: 'missing',
          header: 'x-jwt',
          hint: expect.stringMatching(/forward x-jwt .* gate\.jwtHeader/),
        },
        message: 'requests without a JWT refused',
      },
    ])
  })

  test('comes once in ten seconds for a reason, with a count', async () => {
    await using running = await startObserved()
    const expired = key.jwt(running.claims({ exp: 1 }))
    for (let times = 0; times < 40; times++) await refuse(running, expired)
    await refuse(running, key.jwt(running.claims({ aud: 'web' })))
    running.clock.advance(10_000)
    await refuse(running, expired)
    expect(running.warnings().map(({ fields }) => [fields['reason'], fields['count']])).toEqual([
      ['expired', 1],
      ['audience', 1],
      ['expired', 40],
    ])
    expect(running.reasons()).toHaveLength(42)
  })

  test('is written for those that are held back when the broker closes', async () => {
    await using running = await startObserved()
    for (const _ of ['first', 'second', 'third']) await refuse(running, 'not.a.jwt')
    await running.broker.close()
    expect(running.warnings().map(({ fields }) => fields['count'])).toEqual([1, 2])
  })

  test('is bounded, has no control characters and no JWT, whatever the JWT says', async () => {
    await using running = await startObserved()
    const text = fc.string({ unit: 'binary', maxLength: 3_000 })
    const value = fc.oneof(text, fc.array(text, { maxLength: 9 }), fc.jsonValue())
    const claims = fc.record({ iss: value, aud: value, exp: fc.jsonValue(), sub: text }, { requiredKeys: [] })
    await fc.assert(
      fc.asyncProperty(claims, text, async (said, kid) => {
        const payload = JSON.stringify(said)
        const jwt = compactJws({ alg: 'ES256', kid }, payload, () => Buffer.alloc(64, 7))
        const before = running.warnings().length
        await refuse(running, jwt)
        running.clock.advance(10_000)
        const lines = running.warnings().slice(before)
        expect(lines).toHaveLength(1)
        const line = JSON.stringify(lines[0])
        expect(line.length).toBeLessThan(5_000)
        expect(line).not.toContain(jwt)
        const shown = Object.values(lines[0]?.fields ?? {})
          .flat()
          .filter(field => typeof field === 'string')
        for (const field of shown) {
          expect(field).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Cs}/u)
          expect(field.length).toBeLessThanOrEqual(103)
        }
      }),
      { numRuns: 200 },
    )
  })
})
