import { RawConnection } from '@broker/testing'
import { afterEach, expect, test } from 'vitest'
import { answerOn, ask, requestBytes } from '../harness/client-request.ts'
import { caller, credentials, needsFaults } from '../harness/dex.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const cluster = 'cluster.dex_token_broker'

describeWithEnvoy('checks as streams of one connection', () => {
  const system = useSystem()
  afterEach(() => {
    system().dex.lookAlike?.clearFaults()
    system().backend.clear()
  })

  test('10,000 of them need a connection for each worker of Envoy, and none fails', async () => {
    const clients = 20
    const each = 500
    const statuses = await Promise.all(
      Array.from({ length: clients }, async () => {
        await using connection = await RawConnection.open(system().port())
        const seen = new Set<number | undefined>()
        for (let count = 0; count < each; count++) {
          connection.write(requestBytes({ headers: credentials }))
          seen.add((await answerOn(connection))?.status)
        }
        return [...seen]
      }),
    )
    expect(statuses).toEqual(Array(clients).fill([200]))
    expect(system().backend.requests.filter(({ tokenAudience }) => tokenAudience !== caller.id)).toEqual([])
    expect(system().backend.requests).toHaveLength(clients * each)
    expect(await system().envoy.stat(`${cluster}.upstream_cx_total`)).toBeLessThanOrEqual(2)
    expect(await system().envoy.stat(`${cluster}.upstream_cx_protocol_error`)).toBe(0)
  })

  test('a client that leaves cancels its own check, and no other on the connection', async ({ skip }) => {
    const dex = system().dex.lookAlike ?? skip(needsFaults)
    dex.setFault('token', { kind: 'slow', delayMs: 1_500 })
    dex.resetRecords()
    const headers = { ...credentials, 'x-scope': 'openid email' }
    const staying = ask(system().port(), { headers })
    await using leaving = await RawConnection.open(system().port())
    const active = () => system().envoy.stat(`${cluster}.upstream_rq_active`)
    const resets = () => system().envoy.stat(`${cluster}.upstream_rq_tx_reset`)
    const verdicts = () => system().broker.metric('dex_token_broker_checks_total')
    const before = { resets: await resets(), verdicts: await verdicts() }
    leaving.write(requestBytes({ headers }))
    await expect.poll(active).toBe(2)
    await leaving[Symbol.asyncDispose]()
    await expect.poll(active).toBe(1)
    expect(await resets()).toBe(before.resets + 1)
    // Others are answered meanwhile, on the same connections.
    expect((await ask(system().port(), { headers: credentials })).status).toBe(200)
    expect((await staying).status).toBe(200)
    expect(dex.counts.tokenRequests).toBe(1)
    // The broker has noticed: it answered nobody else.
    expect(await verdicts()).toBe(before.verdicts + 2)
    expect(await system().envoy.stat(`${cluster}.upstream_cx_total`)).toBeLessThanOrEqual(2)
  })
})
