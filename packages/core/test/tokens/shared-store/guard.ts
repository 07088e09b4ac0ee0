import type { BrokerEvent } from '../../../src/shared/broker-event.ts'
import { hintText } from '../../../src/shared/hint.ts'
import { LogSampler } from '../../../src/shared/log-sampler.ts'
import type { Surroundings } from '../../../src/shared/surroundings.ts'
import { systemTimers } from '../../../src/shared/timers.ts'
import { GuardedStore } from '../../../src/tokens/shared-store/guarded-store.ts'
import { SealKeys } from '../../../src/tokens/shared-store/seal-keys.ts'
import type { SharedTokenStore } from '../../../src/tokens/shared-store/shared-token-store.ts'
import { ManualClock } from '../../manual-clock.ts'
import { RecordingLogger } from '../../recording-logger.ts'
import { newKey } from './made-up-records.ts'

/** A limit that no call reaches. */
export const endless = 3_600_000

/** A store whose methods all do the same, unless it has one of its own. */
export function storeOf(answer: () => unknown, own: Partial<Record<keyof SharedTokenStore, unknown>> = {}) {
  const methods = { get: answer, lease: answer, put: answer, release: answer, forget: answer }
  return { ...methods, onForgotten: () => () => {}, ...own } as unknown as SharedTokenStore
}

export function guard(store: SharedTokenStore, timeoutMs = endless, keys = new SealKeys([newKey()])) {
  const clock = new ManualClock()
  const logger = new RecordingLogger()
  const events: BrokerEvent[] = []
  const sampler = new LogSampler(clock, () => ({ cancel() {} }))
  const surroundings = {
    clock,
    timers: systemTimers,
    logger,
    sampler,
    observe: (event: BrokerEvent) => events.push(event),
    describeHint: hintText,
  }
  const settings = { keys, timeoutMs }
  const guarded = new GuardedStore(store, settings, surroundings as unknown as Surroundings)
  const outcomes = () =>
    events.map(event =>
      event.type === 'shared_store'
        ? `${event.operation} ${event.outcome}`
        : `circuit ${'outcome' in event && event.outcome}`,
    )
  return { guarded, settings, clock, logger, events, outcomes }
}
