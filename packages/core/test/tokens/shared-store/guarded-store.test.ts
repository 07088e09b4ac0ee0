import { MemoryTokenStore, type TokenStore } from '@broker/testing'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import type { GuardedStore } from '../../../src/tokens/shared-store/guarded-store.ts'
import { SealKeys } from '../../../src/tokens/shared-store/seal-keys.ts'
import type { SharedTokenStore } from '../../../src/tokens/shared-store/shared-token-store.ts'
import { until } from '../../broker-with-dex.ts'
import { ManualClock } from '../../manual-clock.ts'
import { endless, guard, storeOf } from './guard.ts'
import { newKey, recordOf } from './made-up-records.ts'

const name = 'name'
const token = recordOf(900)
const request = { leaseMs: 1_000, newerThan: 0 }
const turn = () => new Promise(resolve => setImmediate(resolve))
const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  await turn()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

/** Every method once, with what it resolves to. */
async function callAll(guarded: GuardedStore): Promise<readonly unknown[]> {
  return [
    await guarded.get(name, 0),
    await guarded.lease(name, request),
    await guarded.put(name, { token, fence: 1, keepMs: 1_000 }),
    await guarded.release(name, 1),
    await guarded.forget(name, 1, 1_000),
  ]
}

const misses = [undefined, undefined, false, false, false]

test('the store of the suites has the methods of the port, with the same types', () => {
  expectTypeOf<TokenStore>().toEqualTypeOf<SharedTokenStore>()
})

const failingHint = 'check that sharedStore.store is running, and answers within sharedStore.timeoutMs'

describe('a guarded store that works', () => {
  test('keeps records sealed, opens them, and reports each call', async () => {
    const memory = new MemoryTokenStore(new ManualClock())
    const handle = memory.handle()
    const { guarded, outcomes, events } = guard(handle)
    expect(await guarded.get(name, 0)).toBeUndefined()
    const lease = await guarded.lease(name, request)
    const fence = lease?.kind === 'leased' ? lease.fence : 0
    expect(await guarded.lease(name, request)).toEqual({ kind: 'held', forMs: 1_000 })
    expect(await guarded.put(name, { token, fence, keepMs: 1_000 })).toBe(true)
    const record = { fence, ageMs: 0, token }
    expect(await guarded.get(name, 0)).toEqual(record)
    expect(await guarded.lease(name, request)).toEqual({ kind: 'record', record })
    expect(await guarded.put(name, { token, fence: 1, keepMs: 1_000 })).toBe(false)
    expect(await guarded.release(name, 1)).toBe(true)
    expect(await guarded.forget(name, fence, 1_000)).toBe(true)
    expect(await handle.get(name, 0)).toBeUndefined()
    const calls = ['get none', 'lease leased', 'lease held', 'put kept', 'get record', 'lease record']
    expect(outcomes()).toEqual([...calls, 'put refused', 'release done', 'forget done'])
    expect(events.every(event => 'durationMs' in event && event.durationMs === 0)).toBe(true)
  })

  test('gives the fence of a record that no key opens, so that the caller can ask for a newer one', async () => {
    const memory = new MemoryTokenStore(new ManualClock())
    const writer = guard(memory.handle()).guarded
    const lease = await writer.lease(name, request)
    const fence = lease?.kind === 'leased' ? lease.fence : 0
    await writer.put(name, { token, fence, keepMs: 1_000 })
    const { guarded, outcomes, logger } = guard(memory.handle())
    const record = { fence, ageMs: 0, token: undefined }
    expect(await guarded.get(name, 0)).toEqual(record)
    expect(await guarded.lease(name, request)).toEqual({ kind: 'record', record })
    expect(await guarded.lease(name, { ...request, newerThan: fence })).toMatchObject({ kind: 'leased' })
    expect(outcomes()).toEqual(['get unreadable', 'lease unreadable', 'lease leased'])
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: {
          operation: 'get',
          count: 1,
          hint: 'give all replicas the same sharedStore.keys; if they have it, find out who else writes to the store',
        },
        message: 'answer of the shared store is unreadable',
      },
    ])
  })

  test('uses the keys and the timeout that its settings have at the time of a call', async () => {
    const memory = new MemoryTokenStore(new ManualClock())
    const [older, newer] = [newKey(), newKey()]
    const { guarded, settings } = guard(memory.handle(), endless, new SealKeys([older]))
    await guarded.put(name, { token, fence: 1, keepMs: 1_000 })
    settings.keys = new SealKeys([newer])
    expect((await guarded.get(name, 0))?.token).toBeUndefined()
    settings.keys = new SealKeys([newer, older])
    expect((await guarded.get(name, 0))?.token).toEqual(token)
  })

  test('passes on what was forgotten, until its listener ends', async () => {
    const handle = new MemoryTokenStore(new ManualClock()).handle()
    const { guarded } = guard(handle)
    const heard: unknown[] = []
    const end = guarded.onForgotten(batch => heard.push(...batch))
    await guarded.forget(name, 5, 1_000)
    end()
    end()
    await guarded.forget(name, 6, 1_000)
    expect(heard).toEqual([{ name, fence: 5 }])
  })
})

describe('a guarded store that fails', () => {
  test('is a miss for each method when it rejects or throws, and makes no call after the third error', async () => {
    const throws = () => {
      throw Object.assign(new Error('WRONGPASS the password is hunter2'), {
        code: 'WRONGPASS',
        args: ['hunter2'],
      })
    }
    for (const answer of [throws, async () => throws()]) {
      const { guarded, outcomes, logger } = guard(storeOf(answer))
      expect(await callAll(guarded)).toEqual(misses)
      const failed = ['get failed', 'lease failed', 'put failed']
      // The circuit is reported after the call that opened it.
      expect(outcomes()).toEqual([...failed, 'circuit opened', 'release open', 'forget open'])
      const fields = { operation: 'put', cause: 'WRONGPASS', retryAfterMs: 1_000, hint: failingHint }
      const message = 'shared store is failing; circuit opened'
      expect(logger.lines).toEqual([{ level: 'warn', fields, message }])
    }
  })

  test('costs one timeout, and no wait at all until the next probe', async () => {
    let calls = 0
    const hangs = () => {
      calls++
      return new Promise(() => {})
    }
    const { guarded, outcomes, logger } = guard(storeOf(hangs), 10)
    expect(await callAll(guarded)).toEqual(misses)
    expect(calls).toBe(1)
    const open = ['lease open', 'put open', 'release open', 'forget open']
    expect(outcomes()).toEqual(['get timeout', 'circuit opened', ...open])
    expect(logger.lines.map(({ fields }) => fields)).toEqual([
      { operation: 'get', cause: 'timeout', retryAfterMs: 1_000, hint: failingHint },
    ])
  })

  test('costs all calls that began together one timeout, and says so once', async () => {
    const { guarded, outcomes, logger } = guard(
      storeOf(() => new Promise(() => {})),
      10,
    )
    await Promise.all(Array.from({ length: 50 }, () => guarded.get(name, 0)))
    expect(outcomes().filter(outcome => outcome === 'get timeout')).toHaveLength(50)
    expect(outcomes().filter(outcome => outcome === 'circuit opened')).toHaveLength(1)
    expect(logger.lines).toHaveLength(1)
  })

  test('has no late effect, whatever becomes of a call after its time', async () => {
    const late = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()]
    const waiting = [...late]
    const { guarded, outcomes } = guard(
      storeOf(() => waiting.shift()?.promise),
      10,
    )
    const answers = await Promise.all([guarded.lease(name, request), guarded.get(name, 0)])
    const before = outcomes()
    late[0]?.resolve({ kind: 'leased', fence: 5 })
    late[1]?.reject(new Error('late'))
    await turn()
    expect(answers).toEqual([undefined, undefined])
    expect(outcomes()).toEqual(before)
  })

  test('is asked again after its pause; the first answer closes the circuit, and the log says what it cost', async () => {
    const handle = new MemoryTokenStore(new ManualClock()).handle()
    const { guarded, clock, logger, outcomes } = guard(handle)
    handle.fault = 'fail'
    for (let index = 0; index < 5; index++) await guarded.get(name, 0)
    clock.advance(1_000)
    await guarded.get(name, 0)
    await guarded.get(name, 0)
    handle.fault = undefined
    clock.advance(2_000)
    expect(await guarded.lease(name, request)).toMatchObject({ kind: 'leased' })
    expect(await guarded.get(name, 0)).toBeUndefined()
    expect(handle.counts).toMatchObject({ get: 5, lease: 1 })
    expect(outcomes().slice(-3)).toEqual(['lease leased', 'circuit closed', 'get none'])
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn shared store is failing; circuit opened',
      'info shared store answers again; circuit closed',
    ])
    expect(logger.lines[1]?.fields).toEqual({ failedForMs: 3_000, failedCalls: 4, skippedCalls: 3 })
  })

  test('is probed although nobody calls it, again and again, until it answers', async () => {
    const handle = new MemoryTokenStore(new ManualClock()).handle()
    const { guarded, clock, outcomes } = guard(handle)
    handle.fault = 'fail'
    for (let index = 0; index < 3; index++) await guarded.get(name, 0)
    // real time: the timers of the probes, whose pauses are by the clock
    clock.advance(1_000)
    await until(() => handle.counts.get === 4)
    handle.fault = undefined
    clock.advance(2_000)
    await until(() => outcomes().includes('circuit closed'))
    expect(handle.counts.get).toBe(5)
    expect(outcomes().slice(-2)).toEqual(['get none', 'circuit closed'])
  })

  test('starts its account again after an answer: what failed before it is not part of a later outage', async () => {
    const handle = new MemoryTokenStore(new ManualClock()).handle()
    const { guarded, clock, logger } = guard(handle)
    const fail = async (times: number) => {
      handle.fault = 'fail'
      for (let index = 0; index < times; index++) await guarded.get(name, 0)
      handle.fault = undefined
    }
    await fail(2)
    await guarded.get(name, 0)
    clock.advance(60_000)
    await fail(3)
    clock.advance(1_000)
    await guarded.get(name, 0)
    expect(logger.lines[1]?.fields).toEqual({ failedForMs: 1_000, failedCalls: 3, skippedCalls: 0 })
  })

  test('is a miss also with an error that throws when it is looked at', async () => {
    const error = new Proxy(
      {},
      {
        get() {
          throw new Error('no')
        },
      },
    )
    const { guarded, outcomes } = guard(storeOf(() => Promise.reject(error)))
    expect(await callAll(guarded)).toEqual(misses)
    expect(outcomes()).toContain('circuit opened')
  })

  test('is reported as closed when nobody uses it any more, and never again as open', async () => {
    const { guarded, outcomes, clock } = guard(storeOf(() => Promise.reject(new Error('down'))))
    await callAll(guarded)
    guarded.close()
    guarded.close()
    clock.advance(1_000)
    await guarded.get(name, 0)
    expect(outcomes().filter(outcome => outcome.startsWith('circuit'))).toEqual([
      'circuit opened',
      'circuit closed',
    ])
    const unused = guard(storeOf(() => Promise.reject(new Error('down'))))
    unused.guarded.close()
    await callAll(unused.guarded)
    expect(unused.outcomes()).not.toContain('circuit opened')
  })

  test('is no source of forgotten tokens when it cannot be watched, and the log says so', () => {
    const throws = () => {
      throw new Error('no')
    }
    for (const onForgotten of [throws, () => throws]) {
      const { guarded, logger } = guard(storeOf(() => undefined, { onForgotten }))
      guarded.onForgotten(() => {})()
      expect(logger.lines.map(({ message }) => message)).toEqual([
        'shared store failed to watch forgotten tokens',
      ])
    }
  })
})
