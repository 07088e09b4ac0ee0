import type { LRUCache } from 'lru-cache'
import type { TokenOrder } from '../../clients/token-order.ts'
import { boundedMap } from '../../shared/bounded-map.ts'
import { type Clock, wallTimeIn } from '../../shared/clock.ts'
import type { TokenStatus } from '../../status/client-status.ts'
import type { IssuedToken } from '../issued-token.ts'
import { isForgotten, type SharedMark } from '../shared-store/shared-mark.ts'
import type { SigningKey } from '../signing-key.ts'
import { ClientShares, type SharedEntry } from './client-shares.ts'
import { PartedMap } from './parted-map.ts'
import type { RefreshSchedule } from './refresh-schedule.ts'
import { isLiving, isUsable, type TokenLife } from './token-life.ts'

/**
 * Characters of an owner's key that are kept: 48 bits, which saves 40 bytes per token. Two owners with the same 48 bits would
 * share their eviction limit, but no token.
 */
const ownerCharacters = 8

let contentOf: (cell: TokenCell) => CachedToken

/** A token with its life and its refresh schedule. */
export interface CachedToken {
  readonly token: IssuedToken
  readonly life: TokenLife
  readonly refresh: RefreshSchedule
  /** Its record in the shared store, if it has one. */
  readonly mark: SharedMark | undefined
  /** The key that signed the token, if the token names it. */
  readonly signingKey: SigningKey | undefined
}

/** A cache entry. lru-cache publishes keys and values on its diagnostics channel, so that an entry must hide its token. */
class TokenCell implements SharedEntry {
  readonly key: string
  readonly client: string
  heapIndex = -1
  readonly #content: CachedToken

  constructor(key: string, client: string, content: CachedToken) {
    this.key = key
    this.client = client
    this.#content = content
  }

  get endsAt(): number {
    return this.#content.life.staleUntil
  }

  static {
    contentOf = cell => cell.#content
  }
}

type Cells = PartedMap<LRUCache<string, TokenCell>>

/** Each part has room for all: the cache as a whole is bounded before an entry is added. */
function cellsFor(maxEntries: number): Cells | undefined {
  return maxEntries === 0 ? undefined : new PartedMap(() => boundedMap<TokenCell>(maxEntries))
}

/**
 * A bounded cache of tokens. When full it evicts expired tokens first, then the token that expires soonest of the client with
 * most tokens (for exchanged tokens: of the user), in O(log n). lru-cache stores the tokens and {@link ClientShares} orders them.
 */
export class TokenCache {
  #cells: Cells | undefined
  #shares = new ClientShares<TokenCell>()
  #maxEntries: number
  readonly #clock: Clock
  /** The number of tokens that each key has signed. */
  readonly #signed = new Map<SigningKey, number>()
  #evictions = 0

  /** `maxEntries` 0 turns the cache off. */
  constructor(maxEntries: number, clock: Clock) {
    this.#clock = clock
    this.#maxEntries = maxEntries
    this.#cells = cellsFor(maxEntries)
  }

  /** Sets another limit, and evicts what is beyond it. O(n) when the limit changes. */
  resize(maxEntries: number): void {
    if (maxEntries === this.#maxEntries) return
    while (this.size > maxEntries) this.#evictFor('')
    const cells = this.#cellsWhere(() => true)
    this.#maxEntries = maxEntries
    this.#cells = cellsFor(maxEntries)
    for (const cell of cells) this.#cells?.of(cell.key).set(cell.key, cell)
  }

  get size(): number {
    return this.#cells?.size ?? 0
  }

  get maxEntries(): number {
    return this.#maxEntries
  }

  /** The number of clients with tokens here, or of users. */
  get owners(): number {
    return this.#shares.clients
  }

  /** Unexpired tokens evicted because the cache was full, since the start. */
  get evictions(): number {
    return this.#evictions
  }

  /** The entry of a key, also when it is expired. */
  find(key: string): CachedToken | undefined {
    const cell = this.#cellOf(key)
    return cell && contentOf(cell)
  }

  /** The token of a key, also when it is expired, without the token itself. */
  statusOf(key: string): TokenStatus | undefined {
    const found = this.find(key)
    return found && tokenStatus(found, this.#clock)
  }

  /** The entry of a key while its token is usable. */
  get(key: string): CachedToken | undefined {
    const cell = this.#cellOf(key)
    if (cell === undefined) return undefined
    const content = contentOf(cell)
    if (isUsable(content.life, this.#clock)) return content
    if (!isLiving(content.life, this.#clock)) this.#remove(cell)
    return undefined
  }

  /** The token of a key until shortly before its true expiry, for use while Dex is unavailable. */
  getLiving(key: string): IssuedToken | undefined {
    const cell = this.#cellOf(key)
    return cell !== undefined && this.#isOfUse(cell) ? contentOf(cell).token : undefined
  }

  /** Caches the token of an order. Reads the owner's key only when the order has no entry yet. */
  set(order: Pick<TokenOrder, 'key' | 'ownerKey'>, cached: CachedToken): void {
    if (this.#cells === undefined || !isUsable(cached.life, this.#clock)) return
    const { key } = order
    const previous = this.#cellOf(key)
    const client = previous?.client ?? order.ownerKey.slice(0, ownerCharacters)
    if (previous !== undefined) this.#remove(previous)
    else if (this.#cells.size >= this.#maxEntries) this.#evictFor(client)
    const cell = new TokenCell(key, client, cached)
    this.#cells.of(key).set(key, cell)
    this.#shares.add(cell)
    this.#countSigned(cached.signingKey, 1)
  }

  /** Removes the tokens that these keys of an issuer signed and returns them. O(n). */
  deleteSignedBy(issuer: string, kids: ReadonlySet<string>): readonly CachedToken[] {
    const isGone = (key: SigningKey | undefined) => key?.issuer === issuer && kids.has(key.kid)
    // Keys are withdrawn more often than they are lost, and then no cached token has their signature.
    if (![...this.#signed.keys()].some(isGone)) return []
    return this.#deleteWhere(({ signingKey }) => isGone(signingKey))
  }

  /** Removes the tokens whose records no replica may use, and returns them. O(n). */
  deleteForgotten(forgotten: ReadonlyMap<string, number>): readonly CachedToken[] {
    return this.#deleteWhere(({ mark }) => mark !== undefined && isForgotten(mark, forgotten))
  }

  /** Removes the entry of a key, if there is one, and returns it. */
  delete(key: string): readonly CachedToken[] {
    const cell = this.#cellOf(key)
    if (cell === undefined) return []
    this.#remove(cell)
    return [contentOf(cell)]
  }

  /** Removes all entries. */
  clear(): void {
    this.#cells = cellsFor(this.#maxEntries)
    this.#shares = new ClientShares()
    this.#signed.clear()
  }

  /** Removes at most `limit` expired tokens and returns their number. The limit keeps the event loop responsive. */
  removeExpired(limit: number): number {
    let removed = 0
    for (let cell = this.#shares.soonest; removed < limit; cell = this.#shares.soonest, removed++) {
      if (cell === undefined || this.#isOfUse(cell)) break
      this.#remove(cell)
    }
    return removed
  }

  #deleteWhere(isLeaving: (content: CachedToken) => boolean): readonly CachedToken[] {
    const leaving = this.#cellsWhere(isLeaving)
    // As a rule all of them leave, and one by one they would block the event loop.
    if (leaving.length === this.size) this.clear()
    else for (const cell of leaving) this.#remove(cell)
    return leaving.map(contentOf)
  }

  #evictFor(client: string): void {
    const { soonest } = this.#shares
    const expired = soonest !== undefined && !this.#isOfUse(soonest)
    const cell = expired ? soonest : this.#shares.leavingFor(client)
    if (cell === undefined) return
    if (this.#isOfUse(cell)) this.#evictions++
    this.#remove(cell)
  }

  /** `peek`, because eviction does not depend on the last use. */
  #cellOf(key: string): TokenCell | undefined {
    return this.#cells?.of(key).peek(key)
  }

  #cellsWhere(isWanted: (content: CachedToken) => boolean): TokenCell[] {
    const wanted: TokenCell[] = []
    this.#shares.forEach(cell => {
      if (isWanted(contentOf(cell))) wanted.push(cell)
    })
    return wanted
  }

  #countSigned(key: SigningKey | undefined, change: 1 | -1): void {
    if (key === undefined) return
    const count = (this.#signed.get(key) ?? 0) + change
    if (count > 0) this.#signed.set(key, count)
    else this.#signed.delete(key)
  }

  #isOfUse(cell: TokenCell): boolean {
    const { life } = contentOf(cell)
    return isUsable(life, this.#clock) || isLiving(life, this.#clock)
  }

  #remove(cell: TokenCell): void {
    this.#cells?.of(cell.key).delete(cell.key)
    this.#shares.remove(cell)
    this.#countSigned(contentOf(cell).signingKey, -1)
  }
}

function tokenStatus({ life, refresh }: CachedToken, clock: Clock): TokenStatus {
  const wallTimeOf = (monotonic: number) => wallTimeIn(monotonic - clock.monotonic(), clock)
  return {
    expiresAt: life.expiresAt,
    usableUntil: wallTimeOf(life.usableUntil),
    refreshAt: wallTimeOf(refresh.dueAt),
    stale: !isUsable(life, clock),
  }
}
