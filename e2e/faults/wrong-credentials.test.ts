import { setTimeout as delay } from 'node:timers/promises'
import { startDevDex } from '@broker/dev-dex'
import { expect, test } from 'vitest'
import { startBroker } from '../harness/broker-process.ts'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, tally, teams } from './checks.ts'

const clients = teams(20)
const negativeCacheMs = 2_000

test('10,000 requests with wrong secrets cost Dex one request per secret and time of remembering', async () => {
  await using dex = await startDevDex({ clients })
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    NEGATIVE_CACHE_TTL: `${negativeCacheMs}ms`,
  })
  using client = new CheckClient(broker.port)
  const startedAt = performance.now()
  await using load = new CheckLoad(client, {
    perSecond: 2_000,
    headersOf: index => ({ ...credentialsOf(clients, index), 'x-client-secret': 'wrong' }),
  })
  while (load.answers.length < 10_000) await delay(50)
  const corrected = await client.ask(credentialsOf(clients, 0))
  const answers = await load.stop()
  const lastedMs = performance.now() - startedAt

  const { tokenRequests, tokensIssued } = dex.counts
  const bound = clients.length * Math.ceil(lastedMs / negativeCacheMs)
  printMeasured('wrong secrets', {
    outcomes: tally(answers),
    lastedMs,
    tokenRequests,
    bound,
    corrected: corrected.outcome,
    correctedMs: corrected.tookMs,
  })
  expect(tally(answers)).toEqual({ '401 token_request_rejected': answers.length })
  expect(corrected.outcome).toBe('200')
  expect(tokensIssued).toBe(1)
  expect(tokenRequests - tokensIssued).toBeLessThanOrEqual(bound)
}, 30_000)
