import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { compactVerify, createLocalJWKSet, jwtVerify } from 'jose'
import { assertClaims } from '../../../packages/core/src/gate/jwt/assert-claims.ts'
import { freezeClaims } from '../../../packages/core/src/gate/jwt/freeze-claims.ts'
import { type JwtClaims, parseJwt } from '../../../packages/core/src/gate/jwt/jwt.ts'
import { JwtRefusal } from '../../../packages/core/src/gate/jwt/jwt-refusal.ts'
import { subjectOf } from '../../../packages/core/src/gate/jwt/subject-of.ts'
import { KeySet } from '../../../packages/core/src/gate/keys/key-set.ts'
import { verifiedCaller } from '../../../packages/core/src/gate/verified-caller.ts'
import { optionRules } from '../../../packages/core/src/options/broker-options.ts'
import { BrokerError } from '../../../packages/core/src/shared/errors.ts'
import { repository } from '../block-coverage.ts'
import { assertExpected } from '../expected-error.ts'
import { secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

const pem = readFileSync(path.join(repository, 'packages/server/test/fixtures/dex-tls.key'), 'utf8')
const privateKey = createPrivateKey(pem)
const jwk = { ...createPublicKey(pem).export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }
const keys = [jwk, { ...jwk, kid: 'key-2' }, { ...jwk, kid: undefined, alg: undefined }]
const algorithms = optionRules['gate.algorithms'].values
const keySet = KeySet.parse(JSON.stringify({ keys }), algorithms)
const references = createLocalJWKSet({ keys: [jwk, { ...jwk, kid: 'key-2' }] })

const nowMs = Date.UTC(2030, 0, 1)
const now = nowMs / 1_000
const rules = {
  audiences: ['orders'],
  machineAudiences: ['orders'],
  isDex: true,
  clockToleranceMs: 0,
  name: 'dex',
  groupsClaim: 'groups',
}
const claims = {
  iss: 'https://dex.example/dex',
  sub: 'CgVhbGljZRIFbG9jYWw',
  aud: ['orders', 'billing'],
  azp: 'orders',
  exp: now + 3_600,
  nbf: now - 1,
  groups: ['staff', 'client:ci'],
  secret,
}
const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' }

const encoded = (text: string | Buffer) => Buffer.from(text).toString('base64url')
function compact(headerText: string | Buffer, claimsText: string | Buffer): string {
  const signed = `${encoded(headerText)}.${encoded(claimsText)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const sources = [
  'packages/core/src/gate/jwt/jwt.ts',
  'packages/core/src/gate/jwt/assert-claims.ts',
  'packages/core/src/gate/jwt/assert-is-proof-of-caller.ts',
  'packages/core/src/gate/jwt/freeze-claims.ts',
  'packages/core/src/gate/jwt/subject-of.ts',
  'packages/core/src/gate/keys/key-set.ts',
  'packages/core/src/gate/verified-caller.ts',
]

/** Whole JWTs. What is accepted, jose accepts too, with the same claims: no changed JWT has a right signature. */
export const jwtTarget: Target = {
  name: 'jwt',
  seeds: [
    compact(JSON.stringify(header), JSON.stringify(claims)),
    compact('{"alg":"ES256"}', '{"exp":4000000000,"aud":"orders"}'),
    'a.b.c',
    `${encoded('{"alg":"none"}')}.${encoded('{}')}.`,
  ],
  dictionary: ['.', '..', '=', encoded('{"alg":"none"}'), encoded('{"alg":"HS256"}'), '-', '_', '+', '/'],
  maxBytes: 20_000,
  sources,
  judge: input => judgeJwt(input.toString('latin1')),
}

/** Header and claims with a right signature, so that mutations reach what is behind it. Text that is not JSON becomes the claims. */
export const signedClaimsTarget: Target = {
  name: 'signed-claims',
  isJson: true,
  seeds: [
    [header, claims],
    [
      { ...header, kid: 'key-2', typ: 'at+jwt' },
      { ...claims, nbf: undefined, aud: 'orders' },
    ],
    [{ alg: 'ES256' }, { ...claims, sub: 'CgZvcmRlcnM', aud: 'orders' }],
    [
      { ...header, typ: 'logout+jwt' },
      { ...claims, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    ],
    [{ ...header, crit: ['b64'], b64: false }, claims],
    [{ ...header, alg: 'RS256' }, claims],
    [{ ...header, alg: 'PS256' }, claims],
    [{ ...header, alg: 'EdDSA' }, claims],
    [{ ...header, alg: 'Ed25519' }, claims],
  ].map(parts => JSON.stringify(parts)),
  dictionary: [
    '\n',
    '"exp":',
    '"nbf":',
    '"aud":',
    '"crit":[]',
    '"b64":',
    '"typ":',
    '"kid":',
    '[',
    '{',
    '}',
    '"events":',
    'http:',
  ],
  maxBytes: 12_000,
  sources,
  judge(input) {
    const [headerText, claimsText] = partsOf(input)
    return judgeJwt(compact(headerText, claimsText))
  },
}

function partsOf(input: Buffer): readonly [header: string, claims: string | Buffer] {
  try {
    const [first, second] = JSON.parse(input.toString())
    return [JSON.stringify(first) ?? '', JSON.stringify(second) ?? '']
  } catch {
    return [JSON.stringify(header), input]
  }
}

async function judgeJwt(jwt: string): Promise<void> {
  assert.ok(keySet)
  let accepted: JwtClaims
  let isKidless: boolean
  try {
    const unverified = parseJwt(jwt, algorithms)
    assertClaims(unverified.claims, rules, nowMs)
    await keySet.verify(unverified)
    freezeClaims(unverified.claims)
    accepted = unverified.claims
    isKidless = unverified.header.kid === undefined
  } catch (error) {
    assertExpected(BrokerError.is(error) && error.code === 'invalid_token', error)
    assert.ok(error.cause instanceof JwtRefusal)
    const texts = [
      error.message,
      error.cause.message,
      String((error.cause.cause as Error | undefined)?.message),
    ]
    assert.ok(
      texts.every(text => !text.includes(secret) && (jwt.length < 40 || !text.includes(jwt.slice(-20)))),
    )
    return
  }
  assert.ok(jwt.length <= 16 * 1_024)
  if (!isKidless) {
    const reference = await jwtVerify(jwt, references, {
      audience: undefined as never,
      currentDate: new Date(nowMs),
    })
    assert.deepEqual({ ...accepted }, reference.payload)
  } else {
    const { payload } = await compactVerify(jwt, createPublicKey(pem))
    assert.deepEqual(accepted, JSON.parse(Buffer.from(payload).toString()))
  }
  judgeCaller(jwt, accepted)
}

function judgeCaller(jwt: string, accepted: JwtClaims): void {
  const { groups, clientId, subject } = verifiedCaller({ name: 'dex', rules } as never, accepted)
  assert.equal(typeof subject, 'string')
  const machineGroups = groups.filter(group => group.startsWith('client:'))
  assert.deepEqual(machineGroups, clientId === undefined ? [] : [`client:${clientId}`])
  try {
    const { expiresAt } = subjectOf(jwt, accepted, nowMs)
    assert.ok(Number.isFinite(expiresAt) && expiresAt > nowMs, `${expiresAt}`)
  } catch (error) {
    assertExpected(BrokerError.is(error), error)
  }
}
