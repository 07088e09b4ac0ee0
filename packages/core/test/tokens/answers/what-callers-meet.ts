import type { Agent } from 'undici'
import { BrokerError } from '../../../src/shared/errors.ts'
import { TokenBroker } from '../../../src/token-broker.ts'
import { undiciTransport } from '../../../src/undici/undici-transport.ts'
import { ManualClock } from '../../manual-clock.ts'
import type { Whose } from './answer-columns.ts'
import type { Combination } from './answer-combinations.ts'
import type { AnswerRule } from './answer-rules.ts'
import type { OddEndpoint, OddGateway } from './odd-gateway.ts'

/** What a combination leads to: expected by a rule, or met with a real broker. */
export interface Outcome {
  readonly code: AnswerRule['code']
  readonly status: number
  readonly transient: boolean
  readonly hint: string
  readonly retryAfterMs: number | undefined
  readonly requests: number
  readonly next: AnswerRule['next'] | 'something else'
  readonly livingToken: AnswerRule['livingToken']
}

const client = { clientId: 'orders', clientSecret: 'orders-secret' }
/** A token of an hour, with 30 s of margin: usable before, living after. */
const insideTheMarginMs = 3_575_000
/** After it nothing lives, nothing is remembered, and no circuit pauses. */
const hoursMs = 7_200_000

const setUps: Readonly<Record<Whose, { client?: object; request: object }>> = {
  'all configured': { client: { ...client, scope: 'groups' }, request: {} },
  'all configured, with an audience': { client: { ...client, audiences: ['billing'] }, request: {} },
  'configured client, scope of the caller': { client, request: { scope: 'groups' } },
  'client of the caller': { request: { ...client, scope: 'groups' } },
  'client and audience of the caller': { request: { ...client, audiences: ['billing'] } },
}

/**
 * Brokers that receive one combination after the other, one broker for each way to bring a client and each transport. A separate
 * broker for each combination would cost more than its requests. Between two of them hours pass, and a token is obtained.
 */
export class Callers {
  readonly #gateway: OddGateway
  readonly #agent: Agent
  readonly #lives = new Map<string, Life>()

  constructor(gateway: OddGateway, agent: Agent) {
    this.#gateway = gateway
    this.#agent = agent
  }

  /** Sends token requests to an endpoint that gives the answer, and tells what their callers meet. */
  async meet(combination: Combination): Promise<Outcome> {
    const { whose, transport } = combination
    const name = `${whose} ${transport}`
    const life = this.#lives.get(name) ?? startLife(combination, this.#gateway, this.#agent)
    this.#lives.set(name, life)
    const livingToken = await meetWithLivingToken(combination, life)
    return { ...(await meetWithoutToken(combination, life)), livingToken }
  }

  async close(): Promise<void> {
    for (const { broker } of this.#lives.values()) await broker.close()
  }
}

/** One broker, and what is around it. */
interface Life {
  readonly broker: TokenBroker
  readonly clock: ManualClock
  readonly endpoint: OddEndpoint
  readonly request: object
  /** Resolves when a request has ended without a token, its retries included. */
  failed: PromiseWithResolvers<void>
}

function startLife({ whose, transport }: Combination, gateway: OddGateway, agent: Agent): Life {
  const { request, ...configured } = setUps[whose]
  const clock = new ManualClock()
  const endpoint = gateway.endpoint(clock.wall)
  const broker: TokenBroker = new TokenBroker({
    tokenEndpoint: endpoint.url,
    ...(transport === 'undici' && { transport: undiciTransport(agent) }),
    clock,
    // The shortest pause between retries.
    random: () => 0,
    requestTimeoutMs: 30_000,
    // Each request that fails is logged once.
    logger: { debug() {}, info() {}, warn() {}, error: () => life.failed.resolve() },
    ...configured,
  })
  const life: Life = { broker, clock, endpoint, request, failed: Promise.withResolvers() }
  return life
}

async function meetWithoutToken(
  combination: Combination,
  { broker, clock, endpoint, request }: Life,
): Promise<Omit<Outcome, 'livingToken'>> {
  clock.advance(hoursMs)
  endpoint.answer = 'token'
  // Another token of the same client, so that nothing is left of earlier failures.
  await broker.getToken({ ...request, scope: 'email' })
  endpoint.answer = combination
  const calls: Call[] = []
  for (let call = 0; call < 3; call++) {
    const before = endpoint.requests
    const failure = await failureOf(broker.getToken(request))
    calls.push({ failure, requests: endpoint.requests - before })
  }
  const [first, second, third] = calls as [Call, Call, Call]
  const { failure } = first
  return {
    code: failure?.code ?? 'token',
    status: failure?.status ?? 200,
    transient: failure?.transient ?? false,
    hint: hintOf(failure?.hint),
    retryAfterMs: failure?.retryAfterMs,
    requests: first.requests,
    next: nextOf(first, second, third),
  }
}

interface Call {
  readonly failure: BrokerError | undefined
  readonly requests: number
}

function nextOf(first: Call, second: Call, third: Call): Outcome['next'] {
  const isRepeated = (call: Call) => call.requests === 0 && call.failure?.code === first.failure?.code
  if (isRepeated(second)) return 'remembered'
  if (second.requests === 0) return second.failure?.code === 'overloaded' ? 'pauses' : 'something else'
  return isRepeated(third) ? 'remembered when it came twice' : 'asked'
}

async function meetWithLivingToken(combination: Combination, life: Life): Promise<Outcome['livingToken']> {
  const { broker, clock, endpoint, request } = life
  clock.advance(hoursMs)
  endpoint.answer = 'token'
  const token = await broker.getToken(request)
  endpoint.answer = combination
  clock.advance(insideTheMarginMs)
  life.failed = Promise.withResolvers()
  const next = await broker.getToken(request).catch((error: unknown) => error)
  // The caller does not wait for the retries, which are still about this combination.
  if (next === token) {
    await life.failed.promise
    return 'used until its expiry'
  }
  if (!BrokerError.is(next)) return 'replaced'
  // The request that was shared is over only then.
  await new Promise(resolve => setImmediate(resolve))
  return broker.invalidate(token) ? 'not used in its margin' : 'dropped'
}

async function failureOf(promise: Promise<unknown>): Promise<BrokerError | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (BrokerError.is(error)) return error
    throw error
  }
}

export function hintOf(hint: AnswerRule['hint']): string {
  return hint === undefined ? 'none' : `${hint.problem} (${hint.option})`
}
