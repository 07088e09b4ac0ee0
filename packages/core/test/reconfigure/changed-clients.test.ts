import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { billing, caughtUp, failureOf, orders, until } from '../broker-with-dex.ts'
import { claimsOf, HeldTransport, startReconfigurable } from './reconfigurable-broker.ts'

const reports = { clientId: 'reports', clientSecret: 'reports-secret' } as const
const dexOptions = {
  clients: [
    { id: 'orders', secret: 'orders-secret', groups: ['shop'] },
    { id: 'billing', secret: 'billing-secret' },
    { id: 'reports', secret: 'reports-secret' },
  ],
}
const three: Partial<TokenBrokerOptions> = { clients: { orders, billing, reports } }
const start = (options: Partial<TokenBrokerOptions> = three) => startReconfigurable(() => options, dexOptions)

describe('a client that changes', () => {
  test('leaves the tokens of the others as they are', async () => {
    await using running = await start()
    const { broker, dex, log } = running
    const names = ['orders', 'billing', 'reports']
    const before = await Promise.all(names.map(client => broker.getToken({ client })))
    running.reconfigure({ clients: { orders, billing: { ...billing, scope: 'groups' }, reports } })
    const after = await Promise.all(names.map(client => broker.getToken({ client })))
    expect(after.map((token, index) => token === before[index])).toEqual([true, false, true])
    expect(dex.counts.tokenRequests).toBe(4)
    expect(dex.tokenRequests.at(-1)?.form['scope']).toBe('groups')
    expect(log.lines.find(({ message }) => message === 'reconfigured')?.fields).toEqual({
      renewed: ['client billing'],
      added: [],
      removed: [],
    })
  })

  test('leaves the open circuit of another client open', async () => {
    await using running = await start()
    const { broker, dex } = running
    dex.setFault('token', { kind: 'answer', status: 429, body: '', forClient: id => id === 'orders' })
    await failureOf(broker.getToken({ client: 'orders' }))
    const { tokenRequests } = dex.counts
    running.reconfigure({ clients: { orders, reports } })
    expect((await failureOf(broker.getToken({ client: 'orders' }))).code).toBe('overloaded')
    expect(dex.counts.tokenRequests).toBe(tokenRequests)
  })

  test('and has another client id gets the token of that id, also when the old request ends later', async () => {
    const held = new HeldTransport()
    await using running = await start({ ...three, transport: held.transport })
    const { broker, dex } = running
    held.hold()
    const early = broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 1)
    running.reconfigure({ clients: { orders, billing, reports: billing } })
    const late = broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 2)
    held.release()
    expect([claimsOf(await early)['aud'], claimsOf(await late)['aud']]).toEqual(['reports', 'billing'])
    expect(claimsOf(await broker.getToken({ client: 'reports' }))['aud']).toBe('billing')
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('and has another authentication method uses it at once', async () => {
    await using running = await start()
    const { broker, dex } = running
    await broker.getToken({ client: 'reports' })
    running.reconfigure({
      clients: { ...three.clients, reports: { ...reports, authMethod: 'client_secret_post' } },
    })
    await broker.getToken({ client: 'reports' })
    expect(dex.tokenRequests.map(({ form }) => 'client_secret' in form)).toEqual([false, true])
  })

  test('and has another secret keeps its token, and the previous secret until Dex has the new one', async () => {
    await using running = await start()
    const { broker, dex } = running
    const before = await broker.getToken({ client: 'reports' })
    running.reconfigure({ clients: { ...three.clients, reports: { ...reports, clientSecret: 'rotated' } } })
    expect(await broker.getToken({ client: 'reports' })).toBe(before)
    await broker.getToken({ client: 'reports', scope: 'groups' })
    dex.setClientSecret('reports', 'rotated')
    await broker.getToken({ client: 'reports', scope: 'email' })
    expect(dex.counts).toMatchObject({ tokenRequests: 4, tokensIssued: 3 })
  })

  test('to a secret that is right is not held up by the rejection of the wrong one', async () => {
    await using running = await start({ client: { clientId: 'orders', clientSecret: 'wrong' } })
    expect((await failureOf(running.broker.getToken())).code).toBe('client_misconfigured')
    running.reconfigure({ client: orders })
    expect(claimsOf(await running.broker.getToken())['aud']).toBe('orders')
  })
})

describe('a client that is removed', () => {
  test('is unknown from then on, although its token is cached', async () => {
    await using running = await start()
    const { broker } = running
    await broker.getToken({ client: 'reports' })
    running.reconfigure({ clients: { orders, billing } })
    expect(() => broker.peekToken({ client: 'reports' })).toThrow(/"reports" is not a client/)
    await expect(broker.getToken({ client: 'reports' })).rejects.toThrow(TypeError)
  })

  test('cannot be chosen any more by a rule that still names it', async () => {
    await using running = await start({ ...three, chooseClient: () => ({ client: 'reports' }) })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ outcome: 'allow' })
    running.reconfigure({ clients: { orders } })
    expect(await running.broker.check({ headers: [] })).toMatchObject({
      outcome: 'error',
      code: 'server_error',
    })
  })

  test('as the default client leaves callers without credentials of their own', async () => {
    await using running = await start({ client: orders })
    await running.broker.getToken()
    running.reconfigure({ client: undefined })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ code: 'missing_credentials' })
  })

  test('does not leave its token to a caller who knows its id alone', async () => {
    await using running = await start({ client: orders })
    const { broker } = running
    await broker.getToken()
    running.reconfigure({ client: undefined })
    const headers = ['x-client-id', 'orders', 'x-client-secret', 'wrong']
    expect(await broker.check({ headers })).toMatchObject({ code: 'token_request_rejected' })
  })

  test('still gets the token for which a caller waits', async () => {
    const held = new HeldTransport()
    await using running = await start({ ...three, transport: held.transport })
    held.hold()
    const early = running.broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 1)
    running.reconfigure({ clients: {} })
    held.release()
    expect(claimsOf(await early)['aud']).toBe('reports')
  })

  test('and comes back unchanged finds its token', async () => {
    await using running = await start()
    const { broker, dex } = running
    const token = await broker.getToken({ client: 'reports' })
    running.reconfigure({ clients: {} })
    running.reconfigure()
    expect(await broker.getToken({ client: 'reports' })).toBe(token)
    await caughtUp(dex)
    expect(dex.counts.tokenRequests).toBe(1)
  })
})

test('a client that is added can be used at once', async () => {
  await using running = await start({ clients: {} })
  await expect(running.broker.getToken({ client: 'reports' })).rejects.toThrow(TypeError)
  running.reconfigure({ clients: { reports } })
  expect(claimsOf(await running.broker.getToken({ client: 'reports' }))['aud']).toBe('reports')
})
