import { setTimeout as delay } from 'node:timers/promises'
import { RawConnection } from '@broker/testing'
import { expect, test } from 'vitest'
import { answerOn, requestBytes } from '../harness/client-request.ts'
import { credentials } from '../harness/dex.ts'
import { withoutRetries } from '../harness/listener-variants.ts'
import { protocol } from '../harness/protocol.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

/** Node closes an idle connection after 5 s by default, and a moment of grace. */
const pauseMs = 6_500
/** As the harness starts it. */
const workersOfEnvoy = 2

describeWithEnvoy('connections that are kept', () => {
  // Without retries, which would hide what is looked for here.
  const system = useSystem(() => ({ listeners: { 'no retries': withoutRetries } }))

  async function statuses(connections: readonly RawConnection[]): Promise<(number | undefined)[]> {
    for (const connection of connections) connection.write(requestBytes({ headers: credentials }))
    return Promise.all(connections.map(async connection => (await answerOn(connection))?.status))
  }

  test('finding 2, keep-alive race: a hundred connections, and one, still serve after a pause longer than 6 s', async () => {
    await using stack = new AsyncDisposableStack()
    const open = async () => stack.use(await RawConnection.open(system().port('no retries')))
    const alone = await open()
    const many = await Promise.all(Array.from({ length: 100 }, open))
    // A slow first token makes all checks wait at the same time, each on a separate connection.
    system().dex.lookAlike?.setFault('token', { kind: 'slow', delayMs: 500, times: 1 })
    for (let round = 1; round <= 2; round += 1) {
      expect(await statuses(many)).toEqual(Array(100).fill(200))
      expect(await statuses([alone])).toEqual([200])
      // real time: the timeout of a connection is Node's, and its clock cannot be replaced
      if (round < 2) await delay(pauseMs)
    }
    // Not one was closed by the broker, or replaced.
    const cluster = 'cluster.dex_token_broker'
    const { envoy } = system()
    expect(await envoy.stat(`${cluster}.upstream_cx_destroy_remote`)).toBe(0)
    expect(await envoy.stat(`${cluster}.upstream_rq_pending_failure_eject`)).toBe(0)
    const opened = await envoy.stat(`${cluster}.upstream_cx_total`)
    // Over gRPC all checks of a worker of Envoy share a connection.
    if (protocol === 'grpc') expect(opened).toBeLessThanOrEqual(workersOfEnvoy)
    else if (system().dex.lookAlike) expect(opened).toBeGreaterThanOrEqual(100)
  })
})
