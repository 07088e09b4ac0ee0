import { describe, expect, test } from 'vitest'
import { until } from '../broker-with-dex.ts'
import { keyA, keyB, type Replica, startReplicas } from '../tokens/shared-store/replicas.ts'

const kept = ({ storeCalls }: Replica) => storeCalls.filter(call => call === 'put kept').length

describe('a shared store', () => {
  test('that is added is used for the next token, and cached tokens stay', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add({ sharedStore: undefined }), running.add()]
    const before = await first.broker.getToken()
    first.broker.reconfigure({ ...first.options, sharedStore: { store: first.store, keys: [keyA] } })
    expect(await first.broker.getToken()).toBe(before)
    const { accessToken } = await first.broker.getToken({ scope: 'groups' })
    await until(() => kept(first) === 1)
    expect((await second.broker.getToken({ scope: 'groups' })).accessToken).toBe(accessToken)
    expect(first.log.lines.find(({ message }) => message === 'reconfigured')?.fields).toMatchObject({
      added: ['shared store', 'shared store settings'],
    })
  })

  test('that is removed is not called any more, and cached tokens stay', async () => {
    await using running = await startReplicas()
    const { broker, options, store } = running.add()
    const before = await broker.getToken()
    broker.reconfigure({ ...options, sharedStore: undefined })
    const { calls } = store
    expect(await broker.getToken()).toBe(before)
    await broker.getToken({ scope: 'groups' })
    expect(broker.invalidate(before)).toBe(true)
    await broker.getToken()
    expect(store.calls).toBe(calls)
  })

  test('that is unchanged keeps its circuit and its listener', async () => {
    await using running = await startReplicas()
    const { broker, options, store, storeCalls } = running.add()
    store.fault = 'hang'
    await broker.getToken()
    broker.reconfigure(options)
    await broker.getToken({ scope: 'groups' })
    expect(storeCalls).toEqual(['lease timeout', 'lease open'])
  })

  test('whose keys change seals with the new one, and opens with the old one', async () => {
    await using running = await startReplicas()
    const [first, second] = [running.add(), running.add()]
    const old = await first.broker.getToken()
    await until(() => kept(first) === 1)
    second.broker.reconfigure({
      ...second.options,
      sharedStore: { store: second.store, keys: [keyB, keyA], timeoutMs: 100 },
    })
    expect((await second.broker.getToken()).accessToken).toBe(old.accessToken)
    const { accessToken } = await second.broker.getToken({ scope: 'groups' })
    await until(() => kept(second) === 1)
    const third = running.add({ sharedStore: { store: running.memory.handle(), keys: [keyB] } })
    expect((await third.broker.getToken({ scope: 'groups' })).accessToken).toBe(accessToken)
    expect(second.log.lines.find(({ message }) => message === 'reconfigured')?.fields).toMatchObject({
      renewed: ['shared store settings'],
    })
    // Both replicas still tell each other what they drop.
    const copy = await second.broker.getToken()
    second.broker.invalidate(copy)
    await until(() => first.broker.peekToken() === undefined)
  })

  test('whose timeout changes bounds the next call with the new one', async () => {
    await using running = await startReplicas()
    const { broker, options, store, storeCalls } = running.add({ requestTimeoutMs: 30_000 })
    broker.reconfigure({ ...options, sharedStore: { store, keys: [keyA], timeoutMs: 1 } })
    store.fault = 'hang'
    await broker.getToken()
    expect(storeCalls).toEqual(['lease timeout'])
  })

  test('that is replaced by another one is asked no more, and the tokens of the other are shared', async () => {
    await using running = await startReplicas()
    const [first, elsewhere] = [running.add(), running.add()]
    const other = running.memory.handle()
    first.broker.reconfigure({ ...first.options, sharedStore: { store: other, keys: [keyA] } })
    const token = await elsewhere.broker.getToken()
    await until(() => kept(elsewhere) === 1)
    expect((await first.broker.getToken()).accessToken).toBe(token.accessToken)
    expect(first.store.calls).toBe(0)
    elsewhere.broker.invalidate(token)
    await until(() => first.broker.peekToken() === undefined)
  })

  test('with wrong keys changes nothing', async () => {
    await using running = await startReplicas()
    const { broker, options, store } = running.add()
    const sharedStore = { store, keys: ['wrong'] }
    expect(() => broker.reconfigure({ ...options, sharedStore })).toThrow('sharedStore.keys[0]')
    await broker.getToken()
    expect(store.counts.lease).toBe(1)
  })
})

test('a closed broker calls the store no more, and hears nothing of it', async () => {
  await using running = await startReplicas()
  const [first, closed] = [running.add(), running.add()]
  const token = await first.broker.getToken()
  await until(() => kept(first) === 1)
  await closed.broker.getToken()
  await closed.broker.close()
  const { calls } = closed.store
  first.broker.invalidate(token)
  await until(() => first.storeCalls.includes('forget done'))
  expect(closed.store.calls).toBe(calls)
})
