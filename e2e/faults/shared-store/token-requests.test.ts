import { setTimeout as delay } from 'node:timers/promises'
import type { DexClient } from '@broker/dev-dex'
import { redisNeed, startRedis } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { printMeasured, tally } from '../checks.ts'
import { idealRequests, type RefreshMoments } from './ideal-requests.ts'
import { headersOf, Replicas, storeClients, wrongTokens } from './replicas.ts'
import { startSeparateDex } from './separate-dex.ts'

const replicaCount = 3
const tokenMs = 5_000
/**
 * The `expires_in` of Dex is a second less, and the safety margin of a life this short is a fifth of it. The rest are the broker's
 * defaults.
 */
const moments: RefreshMoments = { usableMs: (tokenMs - 1_000) * 0.8, ratio: 0.8, jitter: 0.1 }
const requestMetric = 'dex_token_broker_token_request_duration_seconds_count'
/** A busy machine takes longer than the defaults, and these tests count what a healthy store saves. */
const patience = { SHARED_STORE_TIMEOUT: '2s', HTTP_TIMEOUT: '20s' }

/** Callers at the same time; each asks again after its answer, so that a busy machine gets fewer checks and not a queue of them. */
const callers = 30

interface Load {
  readonly clients: readonly DexClient[]
  readonly perSecond: number
  readonly seconds: number
}

/** Asks for random clients for a while; the ideal is what one request for each token would have been. */
async function runLoad(replicas: Replicas, { clients, perSecond, seconds }: Load) {
  await replicas.warmUp(clients)
  const startedAt = performance.now()
  const call = async () => {
    while (performance.now() - startedAt < seconds * 1_000) {
      // real time: the pace of the load, and the lives of the tokens, which a real Dex can issue as well
      await delay((callers / perSecond) * 1_000 * 2 * Math.random())
      await replicas.ask(headersOf(clients[Math.floor(Math.random() * clients.length)] ?? { id: '' }))
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  const { answers } = replicas
  const tookMs = performance.now() - startedAt
  const runs = Array.from({ length: 5 }, () => idealRequests(answers, moments))
  const ideal = runs.reduce((sum, run) => sum + run, 0) / runs.length
  const requests = await replicas.metric(requestMetric)
  expect(tally(answers)).toEqual({ 200: answers.length })
  expect(wrongTokens(answers)).toEqual([])
  expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
  return { checks: answers.length, seconds: tookMs / 1_000, requests, ideal, ratio: requests / ideal }
}

async function commandsOf(redis: { ask(...command: string[]): Promise<unknown> }) {
  const info = String(await redis.ask('INFO', 'commandstats'))
  const stats = ['evalsha', 'eval'].map(name =>
    new RegExp(`cmdstat_${name}:calls=(\\d+),usec=(\\d+)`).exec(info),
  )
  const sum = (group: number) => stats.reduce((all, match) => all + Number(match?.[group] ?? 0), 0)
  return { calls: sum(1), micros: sum(2) }
}

describe('three brokers and tokens of 5 s', needs(redisNeed()), () => {
  test('with 300 clients and a store make one request for each token, and the operations that docs/scaling.md predicts', {
    timeout: 120_000,
  }, async () => {
    const clients = storeClients(300)
    await using dex = await startSeparateDex({ clients, idTokensMs: tokenMs })
    await using redis = await startRedis()
    const url = `redis://127.0.0.1:${redis.port}`
    await using replicas = await Replicas.start(replicaCount, {
      DEX_TOKEN_URL: dex.tokenEndpoint,
      url,
      ...patience,
    })
    const before = await commandsOf(redis)
    const measured = await runLoad(replicas, { clients, perSecond: 300, seconds: 60 })
    const after = await commandsOf(redis)
    const names = String(await redis.ask('KEYS', '*:token:*')).split(',')
    const bytes = Number(await redis.ask('MEMORY', 'USAGE', names[0] ?? '', 'SAMPLES', '0'))
    const calls = after.calls - before.calls

    // The formulas of docs/scaling.md.
    const checksOfClient = measured.checks / measured.seconds / clients.length
    const earliest = moments.ratio - (moments.jitter * replicaCount) / (replicaCount + 1)
    const intervalSeconds = (moments.usableMs / 1_000) * earliest + 1 / checksOfClient
    const tokens = (clients.length * measured.seconds) / intervalSeconds
    // Checks come at random, so that a replica may not need a token at all before it is replaced.
    const used = 1 - Math.exp((-checksOfClient / replicaCount) * intervalSeconds)
    const operations = tokens * (2 + (replicaCount - 1) * used) + replicaCount * measured.seconds
    printMeasured('three brokers with a store', {
      ...measured,
      ratio: measured.ratio.toFixed(3),
      byFormula: tokens,
      operations: calls,
      operationsByFormula: operations,
      microsecondsOfRedisForEach: (after.micros - before.micros) / calls,
      bytesOfRecord: bytes,
      records: names.length,
    })
    expect((await dex.tokenRequests()) ?? measured.requests).toBe(measured.requests)
    expect(measured.ratio).toBeLessThanOrEqual(1.05)
    // Fewer: where a busy machine answers late, a token is replaced later.
    expect(measured.ratio).toBeGreaterThan(0.85)
    expect(measured.requests / tokens).toBeGreaterThan(0.85)
    expect(measured.requests / tokens).toBeLessThan(1.15)
    expect(calls / operations).toBeGreaterThan(0.85)
    expect(calls / operations).toBeLessThan(1.15)
  })

  test('without a store make three', async () => {
    const clients = storeClients(30)
    await using dex = await startSeparateDex({ clients, idTokensMs: tokenMs })
    await using replicas = await Replicas.start(replicaCount, {
      DEX_TOKEN_URL: dex.tokenEndpoint,
      ...patience,
    })
    const measured = await runLoad(replicas, { clients, perSecond: 180, seconds: 15 })
    printMeasured('three brokers without a store', { ...measured, ratio: measured.ratio.toFixed(3) })
    expect(measured.ratio).toBeGreaterThan(2.4)
    expect(measured.ratio).toBeLessThan(3.3)
  })
})
