import type { TokenBrokerOptions } from '../../../../src/options/broker-options.ts'
import { BrokerError } from '../../../../src/shared/errors.ts'
import type { IssuedToken } from '../../../../src/tokens/issued-token.ts'
import { leaseMs } from '../../../../src/tokens/shared-store/held-lease.ts'
import type { SharedTokenStore } from '../../../../src/tokens/shared-store/shared-token-store.ts'
import { orders } from '../../../broker-with-dex.ts'
import { keyA, keyB } from '../replicas.ts'
import { type Event, everything, type Run } from './explore.ts'
import { Invariants } from './invariants.ts'
import { ModelReplica } from './model-replica.ts'
import { PendingStore } from './pending-store.ts'
import type { Action, ModelStore, ReplicaSettings, Scenario } from './scenario.ts'
import { lifeMs, ScriptedDex } from './scripted-dex.ts'
import { World } from './world.ts'

/** A bound on the events of a run: beyond it something goes on for ever. */
const maxEvents = 400

interface Check {
  readonly owner: string
  end: string | undefined
}

/** One run of a scenario. */
export class ModelRun implements Run {
  readonly world = new World()
  readonly #scenario: Scenario
  readonly #store: ModelStore
  readonly #dex: ScriptedDex
  readonly #invariants: Invariants
  readonly #replicas = new Map<string, ModelReplica>()
  readonly #last = new Map<string, IssuedToken>()
  readonly #checks: Check[] = []
  #timeouts = 0

  constructor(scenario: Scenario, store: (clock: { wall(): number }) => ModelStore) {
    this.#scenario = scenario
    this.#store = store(this.world.clock)
    this.#dex = new ScriptedDex(this.world, (owner, token) => this.#invariants.answered(owner, token))
    this.#invariants = new Invariants([keyA, keyB], this.#dex.issued, this.#store)
    for (const [owner, settings] of Object.entries(scenario.replicas)) {
      this.#replicas.set(owner, this.#start(owner, settings))
    }
  }

  /** Everything before the first choice. */
  async prepare(): Promise<void> {
    for (const [owner, action] of this.#scenario.before ?? []) {
      this.#act(owner, action)
      await this.#settle()
    }
    const { faults = [], delays = 0, actions } = this.#scenario
    this.world.faultsLeft = faults.length > 0 ? 1 : 0
    this.world.delaysLeft = delays
    this.world.history.push('--')
    for (const fault of faults) this.#addFault(fault)
    for (const [owner, list] of Object.entries(actions)) this.#addActions(owner, list)
  }

  async possible(): Promise<readonly Event[]> {
    await drained()
    if (this.world.history.length > maxEvents) this.#fail(`more than ${maxEvents} events`)
    const [broken] = this.#invariants.broken
    if (broken !== undefined) this.#fail(broken)
    return this.world.possible.filter(({ id }) => this.#scenario.faults?.includes('call') || !isCallFault(id))
  }

  async happen(id: string): Promise<void> {
    this.world.happen(id)
  }

  async end(isComplete: boolean): Promise<void> {
    try {
      if (!isComplete) return
      this.#judgeEnd()
      await this.#judgeNextLife()
      this.#scenario.atEnd?.({ requests: this.#dex.requests, faults: this.#faults, tokens: this.#cached() })
    } finally {
      for (const owner of this.#replicas.keys()) this.world.kill(owner)
      for (const replica of this.#replicas.values()) replica.close()
    }
  }

  get #faults(): number {
    return this.world.faultCount > 0 ? this.world.faultCount : this.#timeouts
  }

  #judgeEnd(): void {
    for (const { owner, end } of this.#checks) {
      if (this.world.isDead(owner)) continue
      if (end === undefined) this.#fail(`a check of ${owner} does not end`)
      if (end !== 'token' && !(end === 'token_request_rejected' && this.#dex.hasRejected))
        this.#fail(`a check of ${owner} ended with ${end}`)
    }
    const { lives, perFault = 1 } = this.#scenario
    const most = lives + perFault * this.#faults
    if (this.#dex.requests > most) this.#fail(`${this.#dex.requests} requests, and not ${most}`)
    if (this.#scenario.keepsAll && this.#invariants.hasRefusal) this.#fail('the store refused a record')
    // A token whose record was refused is its replica's own.
    const mayDiffer = this.#faults > 0 || this.#invariants.hasRefusal || this.#scenario.mayDiffer === true
    if (!mayDiffer && new Set(this.#cached()).size > 1) this.#fail('the replicas differ at the end')
  }

  /** When the tokens are expired and the faults are over, the replicas share the next token. */
  async #judgeNextLife(): Promise<void> {
    this.world.faultsLeft = 0
    this.world.delaysLeft = 0
    this.world.history.push('-- next life')
    this.#dex.accepts = true
    this.world.clock.advance(lifeMs)
    const living = [...this.#replicas.keys()].filter(owner => !this.world.isDead(owner))
    for (const owner of living) {
      this.#act(owner, 'check')
      await this.#settle()
    }
    const tokens = new Set(living.map(owner => this.#cachedBy(owner)))
    if (tokens.size !== 1 || tokens.has(undefined)) this.#fail('the replicas differ in the next life')
    const [broken] = this.#invariants.broken
    if (broken !== undefined) this.#fail(broken)
  }

  #start(owner: string, { keys = [keyA], aheadMs = 0, options = {} }: ReplicaSettings): ModelReplica {
    const { world } = this
    const store = new PendingStore(world, owner, this.#store.handle(), this.#invariants.witnessOf(owner))
    const all: TokenBrokerOptions = {
      tokenEndpoint: 'https://dex.example/token',
      cacheMaxEntries: 4,
      exchangeMaxEntries: 1,
      clock: { wall: () => world.clock.wall() + aheadMs, monotonic: world.clock.monotonic },
      random: () => 0.5,
      transport: this.#dex.transportOf(owner),
      sharedStore: { store: store as SharedTokenStore, keys },
      observe: event => {
        if (event.type === 'shared_store' && event.outcome === 'timeout') this.#timeouts++
      },
      ...options,
    }
    return new ModelReplica(all, world.timersOf(owner))
  }

  /** Each action is possible when the one before it has begun. */
  #addActions(owner: string, [next, ...rest]: readonly Action[]): void {
    if (next === undefined) return
    const id = this.world.nextId(`${owner}: ${next}`)
    const touched = typeof next === 'number' ? everything : this.#replicas.has(owner) ? owner : 'dex'
    this.world.add(id, [touched], () => {
      this.#act(owner, next)
      this.#addActions(owner, rest)
    })
  }

  #addFault(fault: string): void {
    const [kind, owner = ''] = fault.split(' ')
    if (kind === 'kill') this.world.addFault(`${owner} dies`, [owner], () => this.world.kill(owner))
    else if (kind === 'flush') {
      this.world.addFault('the store loses everything', ['store'], () => {
        // It does not come back in the same microsecond.
        this.#store.setNow(this.#store.now + 1)
        this.#store.flush()
        this.#invariants.flushed()
      })
    } else if (kind === 'late') {
      this.world.addFault('the leases end', ['store'], () =>
        this.#store.setNow(this.#store.now + leaseMs + 1),
      )
    }
  }

  #act(owner: string, action: Action): void {
    const replica = this.#replicas.get(owner)
    if (action === 'rejects' || action === 'accepts') this.#dex.accepts = action === 'accepts'
    else if (action === 'rotates') this.#dex.kid = 'second'
    else if (typeof action === 'number') this.world.clock.advance(action)
    else if (replica === undefined) throw new TypeError(`${owner} cannot ${action}`)
    else if (action === 'check') this.#check(owner, replica)
    else if (action === 'invalidate') {
      const token = this.#last.get(owner)
      if (token !== undefined && replica.invalidate(token)) this.#invariants.dropped(owner, token.accessToken)
    } else {
      replica.keyIsGone('first')
      this.#invariants.keyIsGone(owner, 'first')
    }
  }

  #check(owner: string, replica: ModelReplica): void {
    const check: Check = { owner, end: undefined }
    this.#checks.push(check)
    void replica.getToken(orders).then(
      token => {
        check.end = 'token'
        if (this.world.isDead(owner)) return
        this.#last.set(owner, token)
        this.#invariants.served(owner, token.accessToken, this.world.clock.wall())
      },
      error => {
        check.end = BrokerError.is(error) ? error.code : String(error)
      },
    )
  }

  /** Lets everything happen, the oldest first. */
  async #settle(): Promise<void> {
    for (let events = await this.possible(); events[0] !== undefined; events = await this.possible()) {
      await this.happen(events[0].id)
    }
  }

  #cached(): readonly string[] {
    const living = [...this.#replicas.keys()].filter(owner => !this.world.isDead(owner))
    return living.map(owner => this.#cachedBy(owner)).filter(token => token !== undefined)
  }

  #cachedBy(owner: string): string | undefined {
    return this.#replicas.get(owner)?.peekToken(orders)?.accessToken
  }

  #fail(rule: string): never {
    throw new Error(`${rule}:\n${this.world.history.join('\n')}`)
  }
}

function isCallFault(id: string): boolean {
  return / (fails|is lost|breaks off|is not answered)$/.test(id)
}

/** Everything that needs no event has happened. */
function drained(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
