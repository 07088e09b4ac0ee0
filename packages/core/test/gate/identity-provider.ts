import { answerJson, type RecordingServer, startRecordingServer } from '@broker/testing'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { type Algorithm, CallersKey, type Claims } from './callers-issuer.ts'

/** An issuer of callers' JWTs with discovery and a key set, which counts the requests for them. */
export interface IdentityProvider extends AsyncDisposable {
  /** What its JWTs and its discovery document say. */
  readonly iss: string
  readonly discoveryUrl: string
  readonly jwksUri: string
  readonly key: CallersKey
  readonly server: RecordingServer
  /** Paths of the requests so far. */
  readonly requests: readonly string[]
  /** Its JWT with these claims, valid for an hour by the clock of the tests. */
  jwt(claims?: Claims, header?: Readonly<Record<string, unknown>>): string
  /** Publishes another key set, a document with other members, or fails with a status. */
  publish(change: { keys?: readonly unknown[]; document?: Claims; status?: number }): void
}

const expiry = Date.parse('2030-01-01T01:00:00Z') / 1000
/** By the clock of the tests. */
const date = new Date(new ManualClock().wall()).toUTCString()

export async function startIdentityProvider({
  iss,
  kid = 'signing',
  algorithm = 'ES256',
}: {
  iss?: string
  kid?: string
  algorithm?: Algorithm
} = {}): Promise<IdentityProvider> {
  const key = new CallersKey(algorithm, { kid })
  const server = await startRecordingServer()
  const name = iss ?? server.url
  const jwksUri = `${server.url}/keys`
  let state: { keys: readonly unknown[]; document: Claims; status: number } = {
    keys: [key.jwk()],
    document: {},
    status: 200,
  }
  server.answer = (request, response) => {
    const document = {
      issuer: name,
      jwks_uri: jwksUri,
      token_endpoint: `${server.url}/token`,
      ...state.document,
    }
    const body = request.path === '/keys' ? { keys: state.keys } : document
    answerJson(body, state.status, { date })(request, response)
  }
  return {
    iss: name,
    discoveryUrl: `${server.url}/.well-known/openid-configuration`,
    jwksUri,
    key,
    server,
    get requests() {
      return server.requests.map(({ path }) => path)
    },
    jwt: (claims, header) => key.jwt({ iss: name, sub: 'alice', exp: expiry, ...claims }, header),
    publish(change) {
      state = { ...state, ...change }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export interface ObservedBroker extends AsyncDisposable {
  readonly broker: TokenBroker
  readonly clock: ManualClock
  readonly log: RecordingLogger
  /** The lines about refused JWTs. */
  warnings(): RecordingLogger['lines']
}

/** A broker whose Dex is never asked unless the options say where it is. */
export function createBroker(options: Partial<TokenBrokerOptions>): ObservedBroker {
  const clock = new ManualClock()
  const log = new RecordingLogger()
  const broker = new TokenBroker({
    tokenEndpoint: options.issuer === undefined ? 'https://dex.example.com/token' : undefined,
    clock,
    logger: log,
    ...options,
  })
  return {
    broker,
    clock,
    log,
    warnings: () => log.lines.filter(({ message }) => message === 'JWTs refused'),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}
