import { startDevDex } from '@broker/dev-dex'
import { redisNeed, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured, quantileMs, tally } from '../checks.ts'
import { headersOf, type ReplicaAnswer, Replicas, storeClients } from './replicas.ts'

const rounds = 9
const skippedInRound = 20
const clients = storeClients(rounds * (skippedInRound + 2))
const leases = (outcome: string) =>
  `dex_token_broker_shared_store_operations_total{operation="lease",outcome="${outcome}"}`
const circuitMetric = 'dex_token_broker_shared_store_circuit_open'

describe('a broker whose store hangs', needs(redisNeed()), () => {
  test('waits for it once, for SHARED_STORE_TIMEOUT, and then not at all', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
    await using redis = await startRedis()
    await using replicas = await Replicas.start(1, {
      DEX_TOKEN_URL: dex.tokenEndpoint,
      url: `redis://127.0.0.1:${redis.port}`,
    })
    const unknown = clients.values()
    const miss = () => replicas.ask(headersOf(unknown.next().value ?? { id: '' }))
    const usual: ReplicaAnswer[] = []
    const waited: ReplicaAnswer[] = []
    const skipped: ReplicaAnswer[] = []
    for (let round = 0; round < rounds; round++) {
      usual.push(await miss())
      redis.pause()
      waited.push(await miss())
      for (let index = 0; index < skippedInRound; index++) skipped.push(await miss())
      redis.resume()
      // Until the circuit lets a probe through.
      await until(async () => {
        await replicas.ask(headersOf({ id: 'unknown-to-dex', secret: `${performance.now()}` }))
        return (await replicas.metric(circuitMetric)) === 0
      }, 'a closed circuit')
    }
    const timeouts = await replicas.metric(leases('timeout'))
    const medianMs = (answers: readonly ReplicaAnswer[]) => quantileMs(answers, 0.5)
    printMeasured('a miss, median in ms', {
      withAStore: medianMs(usual),
      whileItHangs: medianMs(waited),
      circuitOpen: medianMs(skipped),
      timeouts,
      skippedCalls: await replicas.metric(leases('open')),
    })
    for (const answers of [usual, waited, skipped]) expect(tally(answers)).toEqual({ 200: answers.length })
    // One for each round; a probe can come during a round that lasts longer than its pause.
    expect(timeouts).toBeGreaterThanOrEqual(rounds)
    expect(timeouts).toBeLessThan(2 * rounds)
    expect(await replicas.metric(leases('open'))).toBeGreaterThan((rounds * skippedInRound) / 2)
  })
})
