import { describe, expect, test } from 'vitest'
import { caughtUp, failureOf, until } from '../../broker-with-dex.ts'
import { HeldTransport } from '../../reconfigure/reconfigurable-broker.ts'
import { startReplicas } from './replicas.ts'

const lifeMs = 3_600_000

describe('brokers with one store', () => {
  test('make one request for one token, one after the other', async () => {
    await using running = await startReplicas()
    const [first, second, third] = [running.add(), running.add(), running.add()]
    const { accessToken } = await first.broker.getToken()
    await until(() => first.storeCalls.includes('put kept'))
    expect((await second.broker.getToken()).accessToken).toBe(accessToken)
    expect((await third.broker.getToken()).accessToken).toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(1)
    // From its own cache.
    const calls = second.store.calls
    expect((await second.broker.getToken()).accessToken).toBe(accessToken)
    expect(second.store.calls).toBe(calls)
  })

  test('make one request for 10,000 callers at the same time', async () => {
    await using running = await startReplicas()
    const replicas = [running.add(), running.add(), running.add()]
    const callers = Array.from({ length: 10_000 }, (_, index) => replicas[index % 3]?.broker.getToken())
    const tokens = await Promise.all(callers)
    expect(new Set(tokens.map(token => token?.accessToken)).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('refresh a token once ahead of its end, and all of them use the new one', async () => {
    await using running = await startReplicas()
    const replicas = [running.add(), running.add(), running.add()]
    const before = await replicas[0]?.broker.getToken()
    for (const { broker } of replicas) await broker.getToken()
    running.advance(0.85 * (lifeMs - 30_000))
    for (const { broker } of replicas) expect((await broker.getToken()).accessToken).toBe(before?.accessToken)
    for (const { broker } of replicas) {
      await until(() => broker.peekToken()?.accessToken !== before?.accessToken)
    }
    const after = replicas.map(({ broker }) => broker.peekToken()?.accessToken)
    expect(new Set(after).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('serve a token from the store while Dex is down', async () => {
    await using running = await startReplicas()
    const first = running.add()
    const { accessToken, expiresAt } = await first.broker.getToken()
    await until(() => first.storeCalls.includes('put kept'))
    running.dex.setFault('token', { kind: 'answer', status: 503, body: '' })
    running.advance(60_000)
    const token = await running.add().broker.getToken()
    expect(token.accessToken).toBe(accessToken)
    expect(token.expiresAt).toBe(expiresAt)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('do not let callers with a living token wait for another replica', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    const [slow, other] = [running.add({ transport: held.transport }), running.add()]
    const before = await slow.broker.getToken()
    await until(() => slow.storeCalls.includes('put kept'))
    await other.broker.getToken()
    // In the safety margin: not usable, and living.
    running.advance(lifeMs - 20_000)
    held.hold()
    const refreshed = slow.broker.getToken()
    await until(() => held.waiting === 1)
    expect((await other.broker.getToken()).accessToken).toBe(before.accessToken)
    expect(running.dex.counts.tokenRequests).toBe(1)
    held.release()
    const { accessToken } = await refreshed
    await until(() => other.broker.peekToken()?.accessToken === accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('let a caller wait on whose token ends before the store says that another replica requests a new one', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    const [slow, other] = [running.add({ transport: held.transport }), running.add()]
    await slow.broker.getToken()
    await until(() => slow.storeCalls.includes('put kept'))
    await other.broker.getToken()
    running.advance(lifeMs - 20_000)
    held.hold()
    const refreshed = slow.broker.getToken()
    await until(() => held.waiting === 1)
    const lease = other.store.lease.bind(other.store)
    other.store.lease = async (...parameters) => {
      const answer = await lease(...parameters)
      // By the clock of this replica alone: by that of the store, the lease would end.
      if (answer.kind === 'held') other.clock.advance(20_000)
      return answer
    }
    const waiting = other.broker.getToken()
    await until(() => other.storeCalls.includes('lease held'))
    other.store.lease = lease
    held.release()
    expect((await waiting).accessToken).toBe((await refreshed).accessToken)
  })
})

describe('a replica that has the lease', () => {
  test('and closes leaves it to one that waits', async () => {
    await using running = await startReplicas()
    const [closing, other] = [running.add(), running.add()]
    running.dex.setFault('token', { kind: 'hang' })
    const lost = failureOf(closing.broker.getToken())
    await until(() => running.dex.counts.tokenRequests === 1)
    running.dex.setFault('token', undefined)
    const waiting = other.broker.getToken()
    await until(() => other.storeCalls.includes('lease held'))
    await closing.broker.close()
    expect(await lost).toMatchObject({ message: 'the broker is closed' })
    await waiting
    expect(other.storeCalls).toContain('lease leased')
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('and dies without a word holds up others until the lease ends', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    held.hold()
    const [dying, other] = [running.add({ transport: held.transport }), running.add()]
    dying.broker.getToken().catch(() => {})
    await until(() => held.waiting === 1)
    dying.store.fault = 'hang'
    const waiting = other.broker.getToken()
    await until(() => other.storeCalls.includes('lease held'))
    running.clock.advance(1_000)
    await waiting
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('and is slow keeps it, and others request the token themselves after half of the timeout', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    held.hold()
    const slow = running.add({ transport: held.transport })
    const other = running.add({ requestTimeoutMs: 200 })
    const late = slow.broker.getToken()
    await until(() => held.waiting === 1)
    const { accessToken } = await other.broker.getToken()
    // It has no lease, so that it does not put its token into the store.
    expect(other.storeCalls).not.toContain('put kept')
    held.release()
    await late
    await until(() => slow.storeCalls.includes('put kept'))
    expect((await running.add().broker.getToken()).accessToken).toBe((await late).accessToken)
    expect((await other.broker.getToken()).accessToken).toBe(accessToken)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })

  test('extends it while its request is under way', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    held.hold()
    const slow = running.add({ transport: held.transport })
    const token = slow.broker.getToken()
    await until(() => held.waiting === 1)
    for (let round = 1; round <= 3; round++) {
      running.clock.advance(900)
      await until(() => slow.store.counts.lease > round)
    }
    const other = running.add()
    const shared = other.broker.getToken()
    await until(() => other.storeCalls.includes('lease held'))
    held.release()
    expect((await shared).accessToken).toBe((await token).accessToken)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('and lost it does not overwrite the newer token of another one, and takes no other lease', async () => {
    await using running = await startReplicas()
    const held = new HeldTransport()
    held.hold()
    const [late, other] = [running.add({ transport: held.transport }), running.add()]
    const old = late.broker.getToken()
    await until(() => held.waiting === 1)
    // Its lease is over before it is extended: the extension is a new lease, which it gives back.
    running.clock.advance(1_001)
    await until(() => late.storeCalls.includes('release done'))
    const { accessToken } = await other.broker.getToken()
    await until(() => other.storeCalls.includes('put kept'))
    held.release()
    await old
    await until(() => late.storeCalls.includes('put refused'))
    expect((await running.add().broker.getToken()).accessToken).toBe(accessToken)
    expect(running.dex.counts.tokenRequests).toBe(2)
  })
})
