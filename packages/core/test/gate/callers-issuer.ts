import { constants, generateKeyPairSync, type KeyObject, type SigningOptions, sign } from 'node:crypto'
import { type AnswerRequest, answerJson, type RecordingServer, startRecordingServer } from '@broker/testing'
import type { GateOptions, TokenBrokerOptions } from '../../src/options/broker-options.ts'
import type { JwtAlgorithm } from '../../src/options/jwt-algorithms.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { ManualClock } from '../manual-clock.ts'

export type Algorithm = JwtAlgorithm
export type Claims = Readonly<Record<string, unknown>>

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const

/** A key pair of the callers' issuer, and its public half as a member of a JWK set. */
export class CallersKey {
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly kid: string

  constructor(algorithm: Algorithm, { kid = `key-${algorithm}`, modulusLength = 2048, curve = '' } = {}) {
    const pair = pairFor(algorithm, modulusLength, curve)
    this.algorithm = algorithm
    this.privateKey = pair.privateKey
    this.publicKey = pair.publicKey
    this.kid = kid
  }

  /** `undefined` leaves a member out. */
  jwk(members: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      ...this.publicKey.export({ format: 'jwk' }),
      kid: this.kid,
      alg: this.algorithm,
      use: 'sig',
      ...members,
    }
  }

  /** A JWT with any claims set, given as JSON text or as an object, and any header members; `undefined` leaves one out. */
  jwt(claims: Claims | string, header: Readonly<Record<string, unknown>> = {}): string {
    return compactJws({ alg: this.algorithm, kid: this.kid, typ: 'JWT', ...header }, claims, input =>
      signedBy(this.algorithm, this.privateKey, input),
    )
  }
}

/** Signs by an algorithm. `options` make wrong signatures. */
export function signedBy(
  algorithm: Algorithm,
  key: KeyObject,
  input: Buffer,
  options: SigningOptions = {},
): Buffer {
  const hash = algorithm.startsWith('Ed') ? undefined : `sha${algorithm.slice(2)}`
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const pss = algorithm.startsWith('PS') ? { padding, saltLength } : {}
  return sign(hash, input, { key, dsaEncoding: 'ieee-p1363', ...pss, ...options })
}

function pairFor(algorithm: Algorithm, modulusLength: number, curve: string) {
  if (algorithm.startsWith('Ed')) return generateKeyPairSync('ed25519')
  if (!algorithm.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength })
  return generateKeyPairSync('ec', { namedCurve: curve || curves[algorithm as keyof typeof curves] })
}

export function compactJws(
  header: object,
  claims: object | string,
  signature: (input: Buffer) => Buffer,
): string {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const encode = (part: string) => Buffer.from(part).toString('base64url')
  const input = `${encode(JSON.stringify(header))}.${encode(text)}`
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`
}

export interface Gate extends AsyncDisposable {
  readonly broker: TokenBroker
  readonly clock: ManualClock
  /** Serves the key set. */
  readonly server: RecordingServer
  /** Claims that the gate accepts, with these changes; `undefined` leaves one out. */
  claims(changes?: Claims): Claims
  publish(...keys: unknown[]): void
}

/** Answers with a key set, by the clock of the tests. */
function publishing(keys: readonly unknown[], clock: ManualClock): AnswerRequest {
  return (request, response) => {
    const date = new Date(clock.wall()).toUTCString()
    answerJson({ keys }, 200, { date })(request, response)
  }
}

/** A broker with a gate, and the callers' issuer before it, which publishes these keys. */
export async function startGate(
  keys: readonly unknown[],
  gate: Partial<GateOptions> = {},
  options: Partial<TokenBrokerOptions> = {},
): Promise<Gate> {
  const clock = new ManualClock()
  const server = await startRecordingServer(publishing(keys, clock))
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.example.com/token',
    clock,
    gate: { jwksUri: `${server.url}/keys`, ...gate },
    ...options,
  })
  return {
    broker,
    clock,
    server,
    claims: changes => ({
      iss: 'https://issuer.example.com',
      aud: 'svc',
      sub: 'alice',
      exp: clock.wall() / 1000 + 3600,
      ...changes,
    }),
    publish(...published) {
      server.answer = publishing(published, clock)
    },
    async [Symbol.asyncDispose]() {
      await broker.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
