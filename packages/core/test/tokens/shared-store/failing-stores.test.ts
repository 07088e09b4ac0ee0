import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LeaseAnswer, StoredRecord } from '../../../src/tokens/shared-store/shared-token-store.ts'
import { until } from '../../broker-with-dex.ts'
import { claimsOf } from '../../reconfigure/reconfigurable-broker.ts'
import { type Replica, startReplicas } from './replicas.ts'

const lifeMs = 3_600_000
const marginMs = 30_000

describe('a store that', () => {
  test('hangs costs one timeout, and then nothing', async () => {
    await using running = await startReplicas()
    const { broker, store, storeCalls } = running.add()
    store.fault = 'hang'
    await broker.getToken()
    await broker.getToken({ scope: 'groups' })
    expect(storeCalls).toEqual(['lease timeout', 'lease open'])
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('hangs when a token is to be kept costs the callers nothing', async () => {
    await using running = await startReplicas()
    const { broker, store, storeCalls } = running.add()
    const lease = store.lease.bind(store)
    store.lease = async (...parameters) => {
      const answer = await lease(...parameters)
      store.fault = 'hang'
      return answer
    }
    await broker.getToken()
    expect(storeCalls).toEqual(['lease leased'])
    await until(() => storeCalls.includes('put timeout'))
  })

  test('fails is a miss, and a token from before is shared again after it', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add(), running.add()]
    first.store.fault = 'fail'
    const { accessToken } = await first.broker.getToken()
    first.store.fault = undefined
    expect((await second.broker.getToken()).accessToken).not.toBe(accessToken)
    await until(() => second.storeCalls.includes('put kept'))
    expect(running.dex.counts.tokenRequests).toBe(2)
    running.advance(0.85 * (lifeMs - marginMs))
    await first.broker.getToken()
    await until(() => first.broker.peekToken()?.accessToken !== accessToken)
    expect(first.storeCalls).toContain('put kept')
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('has only an older record does not replace a token that came without it', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add(), running.add()]
    const old = await first.broker.getToken()
    await until(() => first.storeCalls.includes('put kept'))
    running.advance(600_000)
    second.store.fault = 'fail'
    const own = await second.broker.getToken()
    second.store.fault = undefined
    // Its refresh is due, and the old token is still usable.
    running.advance(lifeMs - marginMs - 600_000 - 1_000)
    await second.broker.getToken()
    await until(() => second.broker.peekToken()?.accessToken !== own.accessToken)
    expect(second.broker.peekToken()?.accessToken).not.toBe(old.accessToken)
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('lost everything is filled again', async () => {
    await using running = await startReplicas()
    const [first, second, third] = [running.add(), running.add(), running.add()]
    await first.broker.getToken()
    await until(() => first.storeCalls.includes('put kept'))
    running.memory.flush()
    const { accessToken } = await second.broker.getToken()
    await until(() => second.storeCalls.includes('put kept'))
    expect((await third.broker.getToken()).accessToken).toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })
})

type Lie = (truth: LeaseAnswer, earlier: readonly StoredRecord[]) => unknown

/** Makes a replica's store answer with lies, in turns with what it knows. */
function lying({ store }: Replica, lies: readonly Lie[]): void {
  const lease = store.lease.bind(store)
  const earlier: StoredRecord[] = []
  let next = 0
  store.lease = async (...parameters) => {
    const truth = await lease(...parameters)
    if (truth.kind === 'record') earlier.push(truth.record)
    return lies[next++ % lies.length]?.(truth, earlier) as LeaseAnswer
  }
}

const recordOf = (truth: LeaseAnswer, earlier: readonly StoredRecord[]): StoredRecord =>
  truth.kind === 'record'
    ? truth.record
    : (earlier.at(-1) ?? { value: new Uint8Array(80), fence: 1, ageMs: 0 })

const anyLie: fc.Arbitrary<Lie> = fc.oneof(
  fc.constant<Lie>(truth => truth),
  fc.anything().map(
    (answer): Lie =>
      () =>
        answer,
  ),
  fc.uint8Array({ maxLength: 300 }).map(
    (value): Lie =>
      (truth, earlier) => ({ kind: 'record', record: { ...recordOf(truth, earlier), value } }),
  ),
  fc.oneof(fc.double(), fc.integer({ min: -1_000_000, max: 10_000_000 })).map(
    (ageMs): Lie =>
      (truth, earlier) => ({ kind: 'record', record: { ...recordOf(truth, earlier), ageMs } }),
  ),
  fc.oneof(fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER)).map(
    (fence): Lie =>
      (truth, earlier) => ({ kind: 'record', record: { ...recordOf(truth, earlier), fence } }),
  ),
  // A replay of the first record.
  fc.constant<Lie>((truth, earlier) => ({ kind: 'record', record: earlier[0] ?? recordOf(truth, earlier) })),
  fc.maxSafeNat().map(
    (fence): Lie =>
      () => ({ kind: 'leased', fence }),
  ),
)

test('a store that lies never makes a broker serve another token, nor one beyond its end, and none of its checks fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyLie, { minLength: 1, maxLength: 4 }), async lies => {
      await using running = await startReplicas()
      const [honest, deceived] = [running.add(), running.add()]
      lying(deceived, lies)
      for (let round = 0; round < 3; round++) {
        await honest.broker.getToken()
        await honest.broker.getToken({ scope: 'groups' })
        for (const scope of ['', 'groups']) {
          const token = await deceived.broker.getToken({ scope })
          const { aud, exp, groups } = claimsOf(token)
          expect([aud, groups === undefined]).toEqual(['orders', scope === ''])
          expect(running.clock.wall()).toBeLessThan(Number(exp) * 1000)
          expect(token.expiresAt).toBeLessThanOrEqual(Number(exp) * 1000)
        }
        running.advance(lifeMs / 2 - marginMs)
      }
    }),
    { numRuns: 25 },
  )
})

test('records that are swapped in the store are no answer', async () => {
  await using running = await startReplicas()
  const [first, second] = [running.add(), running.add()]
  await first.broker.getToken({ scope: 'groups' })
  await until(() => first.storeCalls.includes('put kept'))
  const lease = second.store.lease.bind(second.store)
  let stolen: LeaseAnswer | undefined
  second.store.lease = async (...parameters) => {
    const answer = await lease(...parameters)
    stolen ??= answer
    return stolen.kind === 'record' && answer.kind === 'leased' ? stolen : answer
  }
  await second.broker.getToken({ scope: 'groups' })
  expect(claimsOf(await second.broker.getToken())['groups']).toBeUndefined()
  expect(second.storeCalls).toContain('lease unreadable')
})

describe('clocks that differ', () => {
  test.each([
    ['ahead', 600_000],
    ['behind', -600_000],
  ])('by ten minutes, a reader %s, do not lengthen the life of a shared token', async (_, aheadMs) => {
    await using running = await startReplicas()
    const [writer, reader] = [running.add(), running.add({ refreshAheadRatio: 1 })]
    reader.clock.jumpWall(aheadMs)
    const { accessToken } = await writer.broker.getToken()
    await until(() => writer.storeCalls.includes('put kept'))
    running.advance(lifeMs / 2)
    expect((await reader.broker.getToken()).accessToken).toBe(accessToken)
    running.advance(lifeMs / 2 - marginMs)
    expect((await reader.broker.getToken()).accessToken).not.toBe(accessToken)
  })

  test.each([
    ['ahead', 600_000],
    ['behind', -600_000],
  ])('by ten minutes, a writer %s, do not either', async (_, aheadMs) => {
    await using running = await startReplicas()
    const [writer, reader] = [running.add(), running.add({ refreshAheadRatio: 1 })]
    writer.clock.jumpWall(aheadMs)
    const { accessToken } = await writer.broker.getToken()
    await until(() => writer.storeCalls.includes('put kept'))
    running.advance(lifeMs / 2)
    expect((await reader.broker.getToken()).accessToken).toBe(accessToken)
    running.advance(lifeMs / 2 - marginMs)
    expect((await reader.broker.getToken()).accessToken).not.toBe(accessToken)
  })

  test('in the store alone are outweighed by the wall clocks of the replicas', async () => {
    await using running = await startReplicas()
    const [writer, reader] = [running.add(), running.add({ refreshAheadRatio: 1 })]
    const { accessToken } = await writer.broker.getToken()
    await until(() => writer.storeCalls.includes('put kept'))
    running.memory.setNow(running.memory.now - lifeMs / 2)
    running.advance(lifeMs / 2)
    expect((await reader.broker.getToken()).accessToken).toBe(accessToken)
    running.advance(lifeMs / 2 - marginMs)
    expect((await reader.broker.getToken()).accessToken).not.toBe(accessToken)
  })
})
