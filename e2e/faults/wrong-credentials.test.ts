import { startDevDex } from '@broker/dev-dex'
import { startBroker } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, tally, teams } from './checks.ts'

const clients = teams(20)
const negativeCacheMs = 500

test('2,000 requests with wrong secrets cost Dex one request per secret and time of remembering', async () => {
  await using dex = await startDevDex({ algorithm: 'ES256', clients })
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    NEGATIVE_CACHE_TTL: `${negativeCacheMs}ms`,
  })
  using client = new CheckClient(broker.port)
  const startedAt = performance.now()
  await using load = new CheckLoad(client, {
    perSecond: 1_000,
    headersOf: index => ({ ...credentialsOf(clients, index), 'x-client-secret': 'wrong' }),
  })
  await load.answered(2_000)
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
})

test('a Dex without the grant is asked once per client and time of remembering, and the log says so as often', async () => {
  const few = clients.slice(0, 5)
  await using dex = await startDevDex({ algorithm: 'ES256', clients: few })
  dex.clientCredentialsEnabled = false
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    NEGATIVE_CACHE_TTL: `${negativeCacheMs}ms`,
  })
  using client = new CheckClient(broker.port)
  const startedAt = performance.now()
  await using load = new CheckLoad(client, { perSecond: 500, headersOf: index => credentialsOf(few, index) })
  await load.answered(750)
  const answers = await load.stop()
  const lastedMs = performance.now() - startedAt

  const { tokenRequests } = dex.counts
  const lines = broker.process.log.split('token request failed').length - 1
  printMeasured('Dex without the grant', { outcomes: tally(answers), lastedMs, tokenRequests, lines })
  expect(tally(answers)).toEqual({ '502 invalid_token_response': answers.length })
  expect(tokenRequests).toBeLessThanOrEqual(few.length * Math.ceil(lastedMs / negativeCacheMs))
  expect(lines).toBeLessThanOrEqual(tokenRequests)
})
