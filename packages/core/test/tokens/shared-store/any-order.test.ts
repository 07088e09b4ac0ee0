import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimsOf } from '../../reconfigure/reconfigurable-broker.ts'
import { type Replica, type Replicas, startReplicas } from './replicas.ts'

const replica = fc.nat(2)
const event = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('get' as const), replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('get at once' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('invalidate' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), replica }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      replica,
      fault: fc.constantFrom('fail' as const, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('store loses everything' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.constantFrom(11_000, 600_000, 2_900_000, 3_590_000),
    }),
  },
)
type Event = typeof event extends fc.Arbitrary<infer Kind> ? Kind : never

/** Three replicas, and what each of them must not serve: what it dropped itself, and what it was told. */
class Story {
  readonly #running: Replicas
  readonly #replicas: Replica[]
  readonly #dropped: Set<string>[] = [new Set(), new Set(), new Set()]
  /** Dropped tokens that the store knows of. */
  readonly #told = new Set<string>()

  constructor(running: Replicas) {
    this.#running = running
    this.#replicas = [running.add(), running.add(), running.add()]
  }

  async happens(event: Event): Promise<void> {
    if (event.kind === 'get') await this.#get(event.replica)
    else if (event.kind === 'get at once') await Promise.all([0, 1, 2].map(index => this.#get(index)))
    else if (event.kind === 'invalidate') await this.#invalidate(event.replica)
    else if (event.kind === 'restart') await this.#restart(event.replica)
    else if (event.kind === 'store') this.#at(event.replica).store.fault = event.fault
    else if (event.kind === 'time') this.#running.advance(event.ms)
    else this.#running.memory.flush()
  }

  #at(index: number): Replica {
    return this.#replicas[index] as Replica
  }

  async #get(index: number): Promise<void> {
    const token = await this.#at(index).broker.getToken()
    const { exp } = claimsOf(token)
    expect(this.#running.clock.wall()).toBeLessThan(Number(exp) * 1000)
    expect(this.#dropped[index]).not.toContain(token.accessToken)
  }

  async #invalidate(index: number): Promise<void> {
    const { broker, store } = this.#at(index)
    const token = await broker.getToken()
    if (!broker.invalidate(token)) return
    if (store.fault === undefined) this.#told.add(token.accessToken)
    for (const [other, dropped] of this.#dropped.entries()) {
      const isTold = store.fault === undefined && this.#at(other).store.fault === undefined
      if (other === index || isTold) dropped.add(token.accessToken)
    }
  }

  /** A new process knows what the store knows. */
  async #restart(index: number): Promise<void> {
    await this.#at(index).broker.close()
    this.#replicas[index] = this.#running.add()
    this.#dropped[index] = new Set(this.#told)
  }
}

test('in any order of events, no replica serves a token that it dropped or was told of, nor one beyond its end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 16 }), async events => {
      await using running = await startReplicas()
      const story = new Story(running)
      for (const each of events) await story.happens(each)
    }),
    { numRuns: 20 },
  )
})
