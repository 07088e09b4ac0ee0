import {
  type BrokerPorts,
  type BrokerProcess,
  type EnvoyProcess,
  envoyBootstrap,
  freePort,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { expect, test } from 'vitest'
import { type Dex, startDex } from '../harness/dex.ts'
import { withoutRetries } from '../harness/listener-variants.ts'
import { protocol } from '../harness/protocol.ts'
import { type RecordingBackend, startBackend } from '../harness/recording-backend.ts'
import { SteadyLoad } from '../harness/steady-load.ts'
import { brokerEnvironment } from '../harness/system.ts'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'

const requestsPerSecond = 250

/** Several brokers behind one Envoy; a place is where a broker may be, and health checks find out whether one is. */
class Fleet implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #dex: Dex
  readonly #places: readonly BrokerPorts[]
  readonly backend: RecordingBackend
  readonly envoy: EnvoyProcess

  private constructor(
    stack: AsyncDisposableStack,
    parts: Pick<Fleet, 'backend' | 'envoy'>,
    dex: Dex,
    places: readonly BrokerPorts[],
  ) {
    this.#stack = stack.move()
    this.backend = parts.backend
    this.envoy = parts.envoy
    this.#dex = dex
    this.#places = places
  }

  static async create(placeCount: number): Promise<Fleet> {
    await using stack = new AsyncDisposableStack()
    const dex = stack.use(await startDex())
    const backend = stack.use(await startBackend(dex))
    const places = await Promise.all(
      Array.from({ length: placeCount }, async () => ({
        port: await freePort(),
        adminPort: await freePort(),
        ...(protocol === 'grpc' && { grpcPort: await freePort() }),
      })),
    )
    const bootstrap = envoyBootstrap({
      protocol,
      brokers: places,
      backendPort: backend.port,
      listeners: { ingress: () => {}, 'no retries': withoutRetries },
    })
    const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
    return new Fleet(stack, { backend, envoy }, dex, places)
  }

  async start(place: number): Promise<BrokerProcess> {
    return this.#stack.use(await startBroker(brokerEnvironment(this.#dex), this.#places[place]))
  }

  /** Waits until Envoy holds so many brokers for healthy. */
  async healthy(count: number): Promise<void> {
    await expect.poll(() => this.envoy.healthyBrokers(), { timeout: 15_000 }).toBe(count)
  }

  load(listener = 'ingress'): SteadyLoad {
    return this.#stack.use(new SteadyLoad(this.envoy.port(listener), requestsPerSecond))
  }

  /** Every request was answered 200, and the backend got each of them once, with a token. */
  async expectFlawless(load: SteadyLoad, atLeast: number, lost = 0): Promise<void> {
    const outcomes = await load.stop()
    expect(outcomes).toEqual({ 200: load.succeeded, ...(lost > 0 && { 503: lost }) })
    expect(load.succeeded).toBeGreaterThan(atLeast)
    expect(this.backend.requests).toHaveLength(load.succeeded)
    this.expectTokens()
  }

  /**
   * Like {@link expectFlawless} for brokers that were killed. Node sends the trailers of an answer over gRPC after its message, and Envoy
   * cannot repeat a check whose answer has begun: as many checks are lost as Envoy counts such answers, and no other.
   */
  async expectOnlyBegunAnswersLost(load: SteadyLoad, atLeast: number): Promise<void> {
    await load.stop()
    const begun = 'http.async-client.rq_reset_after_downstream_response_started'
    await this.expectFlawless(load, atLeast, protocol === 'grpc' ? await this.envoy.stat(begun) : 0)
  }

  expectTokens(): void {
    expect(this.backend.requests.filter(({ tokenAudience }) => tokenAudience === undefined)).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

async function more(load: SteadyLoad, requests: number): Promise<void> {
  const goal = load.succeeded + requests
  await expect.poll(() => load.succeeded, { timeout: 20_000 }).toBeGreaterThan(goal)
}

async function terminate({ process }: BrokerProcess): Promise<void> {
  process.signal('SIGTERM')
  expect(await process.ended()).toBe(0)
  expect(process.log).not.toContain('cut off')
}

describeWithEnvoy('brokers that come and go under load', () => {
  test('SIGTERM of one of two brokers loses no request, even without retries, and it ends with 0', async () => {
    await using fleet = await Fleet.create(2)
    const first = await fleet.start(0)
    await fleet.start(1)
    await fleet.healthy(2)
    const load = fleet.load('no retries')
    await more(load, 300)
    await terminate(first)
    await more(load, 300)
    await fleet.expectFlawless(load, 600)
  })

  test('a rolling replacement of two brokers, a new one before an old one goes, loses no request', async () => {
    await using fleet = await Fleet.create(4)
    const old = [await fleet.start(0), await fleet.start(1)]
    await fleet.healthy(2)
    const load = fleet.load()
    await more(load, 300)
    for (const [index, broker] of old.entries()) {
      await fleet.start(index + 2)
      await fleet.healthy(3)
      await terminate(broker)
      await more(load, 200)
    }
    await fleet.expectFlawless(load, 700)
  })

  test('two brokers restarted in their own places, one after the other, lose no request', async () => {
    await using fleet = await Fleet.create(2)
    const old = [await fleet.start(0), await fleet.start(1)]
    await fleet.healthy(2)
    const load = fleet.load()
    await more(load, 200)
    for (const [place, broker] of old.entries()) {
      await terminate(broker)
      await fleet.start(place)
      await fleet.healthy(2)
      await more(load, 200)
    }
    await fleet.expectFlawless(load, 600)
  })

  test('two of three brokers that are killed lose no request, except answers over gRPC that had begun', async () => {
    await using fleet = await Fleet.create(3)
    const [first, second] = [await fleet.start(0), await fleet.start(1)]
    await fleet.start(2)
    await fleet.healthy(3)
    const load = fleet.load()
    await more(load, 200)
    for (const [index, { process }] of [first, second].entries()) {
      process.signal('SIGKILL')
      await fleet.healthy(2 - index)
      await more(load, 200)
    }
    await fleet.expectOnlyBegunAnswersLost(load, 600)
  })

  test('SIGTERM of the only broker: every answer is 200 or 503, and nothing passes without a token', async () => {
    await using fleet = await Fleet.create(1)
    const only = await fleet.start(0)
    await fleet.healthy(1)
    const load = fleet.load()
    await more(load, 200)
    await terminate(only)
    await fleet.start(0)
    await fleet.healthy(1)
    await more(load, 200)
    const outcomes = await load.stop()
    expect(Object.keys(outcomes).filter(outcome => outcome !== '200' && outcome !== '503')).toEqual([])
    fleet.expectTokens()
  })
})
