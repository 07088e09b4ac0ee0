import { type RealDex, startRealDex } from '@broker/dev-dex/real-dex'
import { startBroker } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, recoveryMs, tally, teams } from './checks.ts'

const clients = teams(5)
const headersOf = (index: number) => credentialsOf(clients, index)
const binary = process.env['DEX_BIN'] ?? ''

async function keySetOf({ jwksUri }: RealDex) {
  return createLocalJWKSet((await (await fetch(jwksUri)).json()) as JSONWebKeySet)
}

// A rotation of its keys takes a minute at least; the look-alike rotates in a second.
describe('a real Dex on memory storage', needs({ DEX_BIN: binary !== '' }), () => {
  test('that is killed and started again is found again, and its new tokens are good', async () => {
    const options = { clients, idTokensMs: 5_000 }
    const first = await startRealDex(binary, options)
    await using broker = await startBroker({
      DEX_TOKEN_URL: first.tokenEndpoint,
      EXPIRY_SAFETY_MARGIN: '1s',
    })
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 100, headersOf })
    await load.inARow(10 * clients.length)
    await first.close()
    await load.inARow(10 * clients.length, '503 overloaded')
    await using second = await startRealDex(binary, { ...options, port: first.port, idTokensMs: 3_600_000 })
    const backAt = performance.now()
    const recoveredFrom = await load.inARow(10 * clients.length)
    const answers = await load.stop()

    const recovered = recoveryMs(answers, backAt)
    const last = new Set(answers.slice(-50).map(({ token }) => token ?? ''))
    printMeasured('a real Dex killed and started again', {
      outcomes: tally(answers),
      recovered,
      tokensInTheEnd: last.size,
    })
    expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
    expect(tally(answers.slice(recoveredFrom))).toEqual({ 200: answers.length - recoveredFrom })
    expect(last.size).toBe(clients.length)
    const keySet = await keySetOf(second)
    for (const token of last) await expect(jwtVerify(token, keySet)).resolves.toBeDefined()
  })
})
