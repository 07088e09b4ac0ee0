import type { Timers } from '../../../../src/shared/timers.ts'
import { ManualClock } from '../../../manual-clock.ts'
import { type Event, everything } from './explore.ts'

interface PendingEvent extends Event {
  /** Of the events with the same group only one happens. */
  readonly group: string
  /** Whether it may as well not happen. */
  readonly isFault: boolean
  run(): void
}

interface PendingTimer {
  readonly id: string
  readonly owner: string
  readonly dueAt: number
  readonly run: () => void
}

/** Touched by each fault: one of them uses up what the others need. */
const faults = 'faults'
const timePasses = 'time passes'
const slow = 'time passes before that'

/** The events of a run, and its time, which stands still while something else can happen, but for {@link delaysLeft}. */
export class World {
  /** The true time. */
  readonly clock = new ManualClock()
  /** Faults that may still happen. */
  faultsLeft = 0
  /** How many times time may still pass up to the next timer while messages are on their way. */
  delaysLeft = 0
  /** Faults that happened. */
  faultCount = 0
  /** What happened, for the message of a failure. */
  readonly history: string[] = []
  readonly #events = new Map<string, PendingEvent>()
  readonly #timers = new Set<PendingTimer>()
  readonly #counts = new Map<string, number>()
  readonly #dead = new Set<string>()

  /** Numbers the events of a kind. */
  nextId(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    return `${kind} ${count}`
  }

  add(id: string, touches: readonly string[], run: () => void): void {
    this.#add({ id, group: id, touches, isFault: false, run })
  }

  /** Adds a fault, which happens in place of the event `group`, or by itself when there is none. */
  addFault(id: string, touches: readonly string[], run: () => void, group = id): void {
    this.#add({ id, group, touches: [...touches, faults], isFault: true, run })
  }

  /** The events that can happen now; none at the end. */
  get possible(): readonly Event[] {
    const pending = [...this.#events.values()]
    const due = this.#dueTimers
    const isQuiet = due.length === 0 && pending.every(({ isFault }) => isFault)
    if (isQuiet && this.#timers.size === 0) return []
    const events = this.faultsLeft > 0 ? pending : pending.filter(({ isFault }) => !isFault)
    if (isQuiet) return [...events, { id: timePasses, touches: [everything] }]
    const mayPass = this.delaysLeft > 0 && due.length === 0 && this.#timers.size > 0
    return [...events, ...due, ...(mayPass ? [{ id: slow, touches: [everything] }] : [])]
  }

  happen(id: string): void {
    this.history.push(id)
    const timer = [...this.#timers].find(each => each.id === id)
    const event = this.#events.get(id)
    if (id === timePasses) this.#passToTimer()
    else if (id === slow) {
      this.delaysLeft--
      this.#passToTimer()
    } else if (timer !== undefined) {
      this.#timers.delete(timer)
      timer.run()
    } else if (event !== undefined) this.#run(event)
    else throw new Error(`${id} is not possible`)
  }

  timersOf(owner: string): Timers {
    const schedule = (run: () => void, delayMs: number) => {
      const dueAt = this.clock.monotonic() + delayMs
      const timer = { id: this.nextId(`${owner} timer`), owner, dueAt, run }
      if (!this.isDead(owner)) this.#timers.add(timer)
      return { cancel: () => void this.#timers.delete(timer) }
    }
    return { waitedFor: schedule, background: schedule }
  }

  /** The process of an owner ends: what it sent is still on its way, and nothing reaches it. */
  kill(owner: string): void {
    this.#dead.add(owner)
    for (const timer of this.#timers) if (timer.owner === owner) this.#timers.delete(timer)
    for (const { id, touches } of this.#events.values()) if (touches.includes(owner)) this.#events.delete(id)
  }

  isDead(owner: string): boolean {
    return this.#dead.has(owner)
  }

  #add(event: PendingEvent): void {
    this.#events.set(event.id, { ...event, touches: [...event.touches, event.group] })
  }

  #run(event: PendingEvent): void {
    for (const { id, group } of this.#events.values()) if (group === event.group) this.#events.delete(id)
    if (event.isFault) {
      this.faultsLeft--
      this.faultCount++
    }
    event.run()
  }

  #passToTimer(): void {
    const next = Math.min(...[...this.#timers].map(({ dueAt }) => dueAt))
    this.clock.advance(Math.max(0, next - this.clock.monotonic()))
  }

  /** Of each owner's due timers the first one. */
  get #dueTimers(): readonly Event[] {
    const first = new Map<string, PendingTimer>()
    for (const timer of this.#timers) {
      const earlier = first.get(timer.owner)
      if (timer.dueAt > this.clock.monotonic() || (earlier && earlier.dueAt <= timer.dueAt)) continue
      first.set(timer.owner, timer)
    }
    return [...first.values()].map(({ id, owner }) => ({ id, touches: [owner] }))
  }
}
