import { describe, expect, test } from 'vitest'
import { ManualClock, type MemoryStoreHandle, MemoryTokenStore } from '../src/index.ts'
import { sharedTokenStoreContract } from '../src/vitest.ts'

sharedTokenStoreContract('a store in memory', {
  shortMs: 1_000,
  cutsOff: true,
  turnsBack: true,
  async open() {
    const clock = new ManualClock()
    const memory = new MemoryTokenStore(clock)
    const [one, other] = [memory.handle(), memory.handle()]
    return {
      one,
      other,
      pass: async ms => clock.advance(ms),
      wipe: async () => memory.flush(),
      turnBack: async ms => memory.setNow(memory.now - ms),
      async whileCutOff(run) {
        other.fault = 'fail'
        await run()
        other.fault = undefined
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})

describe('the faults of a handle', () => {
  const request = { leaseMs: 1_000, newerThan: 0 }
  const pair = () => {
    const memory = new MemoryTokenStore(new ManualClock())
    return { memory, one: memory.handle(), other: memory.handle() }
  }
  /** Whether a call settles without another call. */
  const settles = (call: Promise<unknown>) =>
    Promise.race([
      call.then(
        () => true,
        () => true,
      ),
      new Promise<boolean>(resolve => setImmediate(resolve, false)),
    ])

  test('reject or hang its own calls, which change nothing, and no call of another handle', async () => {
    const { one, other } = pair()
    one.fault = 'fail'
    await expect(one.lease('name', request)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    one.fault = 'hang'
    expect(await settles(one.lease('name', request))).toBe(false)
    expect((await other.lease('name', request)).kind).toBe('leased')
    one.fault = undefined
    expect((await one.lease('name', request)).kind).toBe('held')
  })

  test('lose one answer, and what was asked is done', async () => {
    const { one, other } = pair()
    one.loseNextAnswer()
    expect(await settles(one.lease('name', request))).toBe(false)
    expect((await other.lease('name', request)).kind).toBe('held')
    expect(await settles(one.lease('name', request))).toBe(true)
  })

  test('count among the calls of each operation', async () => {
    const { one, other } = pair()
    const ask = (handle: MemoryStoreHandle) => handle.get('name', 0).catch(() => undefined)
    await ask(one)
    one.fault = 'fail'
    await ask(one)
    await one.release('name', 1).catch(() => {})
    await ask(other)
    expect(one.counts).toEqual({ get: 2, lease: 0, put: 0, release: 1, forget: 0 })
    expect([one.calls, other.calls]).toEqual([3, 1])
  })
})
