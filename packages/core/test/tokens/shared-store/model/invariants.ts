import { SealKeys } from '../../../../src/tokens/shared-store/seal-keys.ts'
import type { LeaseAnswer, LeaseRequest } from '../../../../src/tokens/shared-store/shared-token-store.ts'
import type { StoreCall, StoreWitness } from './pending-store.ts'
import type { Issued } from './scripted-dex.ts'

/** What one replica must not serve, and what it has served. */
interface Knowledge {
  /** Tokens that it dropped itself. */
  readonly dropped: Set<string>
  /** Per name, the fence up to which it was told of drops. */
  readonly toldFences: Map<string, number>
  readonly goneKids: Set<string>
  newest: Issued | undefined
}

/** What the store handed out under one name, in its present life. */
interface Fences {
  leased: number
  kept: number
  /** The lease that is out. */
  lease: { readonly fence: number; readonly endsAt: number } | undefined
}

/** Watches a run for what must hold in each of its states; each rule has its reason in the decision record about the model. */
export class Invariants {
  readonly #keys: SealKeys
  readonly #issued: readonly Issued[]
  readonly #store: { readonly now: number }
  readonly #known = new Map<string, Knowledge>()
  /** The records that each token was to be kept as. */
  readonly #records = new Map<string, { readonly name: string; readonly fence: number }[]>()
  #fences = new Map<string, Fences>()
  readonly broken: string[] = []
  /** Whether the store refused a record. */
  hasRefusal = false

  constructor(keys: readonly string[], issued: readonly Issued[], store: { readonly now: number }) {
    this.#keys = new SealKeys(keys)
    this.#issued = issued
    this.#store = store
  }

  witnessOf(owner: string): StoreWitness {
    return {
      called: call => this.#called(call),
      done: (call, answer) => this.#done(call, answer),
      told: forgotten => {
        const { toldFences } = this.#of(owner)
        for (const { name, fence } of forgotten)
          toldFences.set(name, Math.max(fence, toldFences.get(name) ?? 0))
      },
    }
  }

  /** A replica gave a token to a check, at a true time. */
  served(owner: string, accessToken: string, now: number): void {
    const token = this.#issued.find(each => each.accessToken === accessToken)
    if (token === undefined) {
      this.#break(`${owner} served a token that Dex did not issue`)
      return
    }
    const known = this.#of(owner)
    const what = `${owner} served token ${token.number}`
    if (this.#isDropped(owner, token)) this.#break(`${what}, which is dropped`)
    if (now >= token.endsAt) this.#break(`${what} after its end`)
    const { newest } = known
    if (newest !== undefined && token.number < newest.number && !this.#isDropped(owner, newest)) {
      this.#break(`${what} after token ${newest.number}`)
    }
    if (newest === undefined || token.number > newest.number) known.newest = token
  }

  /** A replica dropped a token. */
  dropped(owner: string, accessToken: string): void {
    this.#of(owner).dropped.add(accessToken)
  }

  /** A replica learned that a key of Dex is gone. */
  keyIsGone(owner: string, kid: string): void {
    this.#of(owner).goneKids.add(kid)
  }

  /** Dex itself gave a token to a replica: its key counts as present again. */
  answered(owner: string, { kid }: Issued): void {
    this.#of(owner).goneKids.delete(kid)
  }

  /** The store lost everything. */
  flushed(): void {
    this.#fences = new Map()
  }

  #isDropped(owner: string, { accessToken, kid }: Issued): boolean {
    const { dropped, toldFences, goneKids } = this.#of(owner)
    if (dropped.has(accessToken) || goneKids.has(kid)) return true
    const records = this.#records.get(accessToken) ?? []
    return records.some(({ name, fence }) => fence <= (toldFences.get(name) ?? 0))
  }

  #called(call: StoreCall): void {
    if (call.method !== 'put') return
    const [name, { fence, value }] = call.parameters
    const accessToken = this.#keys.open(name, fence, value)?.accessToken ?? ''
    this.#records.set(accessToken, [...(this.#records.get(accessToken) ?? []), { name, fence }])
  }

  #done({ method, parameters }: StoreCall, answer: unknown): void {
    const [name] = parameters
    const fences = this.#fences.get(name) ?? { leased: 0, kept: 0, lease: undefined }
    this.#fences.set(name, fences)
    if (method === 'lease') this.#leased(fences, parameters[1], answer as LeaseAnswer)
    else if (method === 'put') this.#put(fences, parameters[1].fence, answer === true)
    else if (method === 'forget') fences.lease = undefined
    else if (method === 'release') ended(fences, parameters[1])
  }

  #leased(fences: Fences, { held, leaseMs }: LeaseRequest, answer: LeaseAnswer): void {
    if (answer.kind !== 'leased') return
    const { fence } = answer
    const { lease } = fences
    if (fence <= fences.leased && fence !== held) this.#break('a fence went back')
    if (lease !== undefined && lease.fence !== fence && this.#store.now < lease.endsAt) {
      this.#break('two leases of one name are out at once')
    }
    fences.leased = Math.max(fences.leased, fence)
    fences.lease = { fence, endsAt: this.#store.now + leaseMs }
  }

  #put(fences: Fences, fence: number, isKept: boolean): void {
    ended(fences, fence)
    if (!isKept) this.hasRefusal = true
    else if (fence < fences.kept) this.#break('an older record replaced a newer one')
    else fences.kept = fence
  }

  #of(owner: string): Knowledge {
    const known = this.#known.get(owner) ?? {
      dropped: new Set(),
      toldFences: new Map(),
      goneKids: new Set(),
      newest: undefined,
    }
    this.#known.set(owner, known)
    return known
  }

  #break(rule: string): void {
    this.broken.push(rule)
  }
}

function ended(fences: Fences, fence: number): void {
  if (fences.lease?.fence === fence) fences.lease = undefined
}
