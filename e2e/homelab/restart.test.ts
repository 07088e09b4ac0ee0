import { startBroker, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, tally, teams } from '../faults/checks.ts'
import { Backend } from './backend.ts'
import { dexBinary } from './dex-pod.ts'
import { type Homelab, startHomelab } from './homelab.ts'
import { promisedMs } from './homelab-page.ts'

const clients = teams(5)
const headersOf = (index: number) => credentialsOf(clients, index)

/** Short, so that the test is. */
const maxAge = '10s'
const refreshFailed = 'key set refresh failed'
const dropped = 'tokens dropped: the key that signed them is gone'
const tokenRequests = 'dex_token_broker_token_request_duration_seconds_count'

const ways = [
  {
    way: 'through Caddy, with a fetch of the keys that fails meanwhile',
    // Long enough for one fetch.
    isDownUntil: (log: () => string) => until(() => log().includes(refreshFailed), refreshFailed, 30_000),
    environmentOf: ({ caddy }: Homelab) => ({ DEX_ISSUER: caddy.url }),
  },
  {
    way: 'by its name in the cluster, between two fetches of the keys',
    isDownUntil: () => Promise.resolve(),
    environmentOf: ({ caddy, dex }: Homelab) => ({
      DEX_ISSUER: caddy.url,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      DEX_JWKS_URL: dex.jwksUri,
    }),
  },
]

// Each test has a Dex and a broker to itself, and mostly waits: they run side by side.
describe.concurrent('the homelab: Dex on an emptyDir, Caddy in front', () => {
  test.for(ways)(
    "when Dex's pod is replaced, tokens that backends refuse are gone within the time that the page says ($way)",
    async ({ way, isDownUntil, environmentOf }, { expect }) => {
      await using homelab = await startHomelab(clients)
      const { pod, caddy } = homelab
      await using broker = await startBroker({ ...environmentOf(homelab), JWKS_MAX_AGE: maxAge })
      using client = new CheckClient(broker.port)
      await using load = new CheckLoad(client, { perSecond: 50, headersOf })
      await load.inARow(10 * clients.length)
      const before = load.answers.slice(-clients.length)

      await pod.delete()
      const downAt = load.answers.length
      await load.answered(clients.length)
      await isDownUntil(() => broker.process.log)
      const whileDown = load.answers.slice(downAt)
      const backAt = performance.now()
      const backend = await Backend.withKeysOf(await pod.start())
      await until(
        async () => (await backend.refused(load.answers.slice(-clients.length))).length === 0,
        'a good token for each client',
        30_000,
      )
      await load.answered(10 * clients.length)
      const answers = await load.stop()

      const refused = await backend.refused(answers)
      const goneAfterMs = Math.max(...refused.map(({ askedAt }) => askedAt)) - backAt
      const requests = await broker.metric(tokenRequests)
      printMeasured(`Dex's pod replaced, ${way}`, {
        outcomes: tally(answers),
        goneAfterMs,
        promisedMs: promisedMs.get(maxAge),
        tokenRequests: requests,
        badGateways: caddy.badGateways,
      })
      // The premise: the tokens from before are dead, and they are valid for another day by their `exp`.
      expect(await backend.refused(before)).toHaveLength(clients.length)
      expect(tally(whileDown)).toEqual({ 200: whileDown.length })
      expect(tally(answers)).toEqual({ 200: answers.length })
      expect(goneAfterMs).toBeLessThanOrEqual(promisedMs.get(maxAge) ?? 0)
      expect(requests).toBe(2 * clients.length)
      expect(broker.process.log).toContain(dropped)
    },
  )

  test(
    "when Dex's container restarts in its pod, its keys are those from before and no token is requested again",
    needs({ DEX_BIN: dexBinary !== '' }),
    async ({ expect }) => {
      await using homelab = await startHomelab(clients)
      const { pod, caddy } = homelab
      await using broker = await startBroker({ DEX_ISSUER: caddy.url, JWKS_MAX_AGE: maxAge })
      using client = new CheckClient(broker.port)
      await using load = new CheckLoad(client, { perSecond: 50, headersOf })
      await load.inARow(10 * clients.length)
      await pod.stop()
      await until(() => broker.process.log.includes(refreshFailed), refreshFailed)
      const backend = await Backend.withKeysOf(await pod.start())
      await until(() => broker.process.log.includes('key set refreshed after failures'))
      await load.answered(10 * clients.length)
      const answers = await load.stop()

      expect(tally(answers)).toEqual({ 200: answers.length })
      expect(await backend.refused(answers)).toEqual([])
      expect(broker.process.log).not.toContain(dropped)
      expect(await broker.metric(tokenRequests)).toBe(clients.length)
    },
  )
})

/** A look is repeated 15 s after one that failed, and one that hangs fails after HTTP_TIMEOUT. */
const longestRepeatMs = 15_000 + 5_000

test.for([...promisedMs])('the page promises 80 %% of %s, or the longest repetition', ([age, promise]) => {
  const ageMs = Number(age.slice(0, -1)) * (age.endsWith('m') ? 60_000 : 1_000)
  expect(promise).toBe(Math.max(0.8 * ageMs, longestRepeatMs))
})

test('the page has a row for the default, and one for the value of these tests', () => {
  expect([...promisedMs.keys()]).toEqual(expect.arrayContaining(['10m', maxAge]))
})
