import type {
  ForgottenRecord,
  SharedTokenStore,
} from '../../../../src/tokens/shared-store/shared-token-store.ts'
import type { World } from './world.ts'

export type StoreMethod = Exclude<keyof SharedTokenStore, 'onForgotten'>

/** A call of a store. */
export type StoreCall<Method extends StoreMethod = StoreMethod> = Method extends StoreMethod
  ? { readonly method: Method; readonly parameters: Parameters<SharedTokenStore[Method]> }
  : never

export interface StoreWitness {
  /** A replica makes a call. */
  called(call: StoreCall): void
  /** The store has done what it was called for. */
  done(call: StoreCall, answer: unknown): void
  /** A replica is told of forgotten records. */
  told(forgotten: readonly ForgottenRecord[]): void
}

/**
 * A replica's connection to a store, on which calls, answers and batches of forgotten records wait until the explorer lets them
 * through. Calls overtake each other, and so do answers; batches do not.
 */
export class PendingStore implements SharedTokenStore {
  readonly get: SharedTokenStore['get']
  readonly lease: SharedTokenStore['lease']
  readonly put: SharedTokenStore['put']
  readonly release: SharedTokenStore['release']
  readonly forget: SharedTokenStore['forget']
  readonly #world: World
  readonly #owner: string
  readonly #store: SharedTokenStore
  readonly #witness: StoreWitness

  constructor(world: World, owner: string, store: SharedTokenStore, witness: StoreWitness) {
    this.#world = world
    this.#owner = owner
    this.#store = store
    this.#witness = witness
    this.get = (...parameters) => this.#call({ method: 'get', parameters })
    this.lease = (...parameters) => this.#call({ method: 'lease', parameters })
    this.put = (...parameters) => this.#call({ method: 'put', parameters })
    this.release = (...parameters) => this.#call({ method: 'release', parameters })
    this.forget = (...parameters) => this.#call({ method: 'forget', parameters })
  }

  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void {
    const batches: (readonly ForgottenRecord[])[] = []
    const addNext = () => {
      if (batches.length === 0) return
      this.#world.add(this.#world.nextId(`${this.#owner} is told`), [this.#owner], () => {
        const batch = batches.shift() ?? []
        this.#witness.told(batch)
        listener(batch)
        addNext()
      })
    }
    return this.#store.onForgotten(forgotten => {
      if (this.#world.isDead(this.#owner)) return
      batches.push(forgotten)
      if (batches.length === 1) addNext()
    })
  }

  #call<Answer>(call: StoreCall): Promise<Answer> {
    if (this.#world.isDead(this.#owner)) return new Promise(() => {})
    this.#witness.called(call)
    const id = this.#world.nextId(`${this.#owner} ${call.method}`)
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const arrives = `${id} arrives`
    this.#world.add(arrives, ['store'], () =>
      this.#arrive(id, call, resolve as (answer: unknown) => void, reject),
    )
    this.#world.addFault(`${id} fails`, [this.#owner], () => reject(brokenOff()), arrives)
    this.#world.addFault(`${id} is lost`, [], () => {}, arrives)
    return promise
  }

  #arrive(
    id: string,
    call: StoreCall,
    resolve: (answer: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    const ask = this.#store[call.method] as (...parameters: readonly unknown[]) => Promise<unknown>
    // The store in memory has done its step when it returns. Its answer is read when it is let through.
    const answer = ask.apply(this.#store, call.parameters as unknown[])
    void answer.then(value => this.#witness.done(call, value))
    if (this.#world.isDead(this.#owner)) return
    const isAnswered = `${id} is answered`
    this.#world.add(isAnswered, [this.#owner], () => void answer.then(resolve))
    this.#world.addFault(`${id} breaks off`, [this.#owner], () => reject(brokenOff()), isAnswered)
    this.#world.addFault(`${id} is not answered`, [this.#owner], () => {}, isAnswered)
  }
}

function brokenOff(): Error {
  return Object.assign(new Error('connection lost'), { code: 'ECONNRESET' })
}
