import { ask, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { runCommand } from './support/command.ts'
import {
  type BrokerUnderTest,
  bearerOf,
  errorOf,
  orders,
  startBroker,
  startDex,
  warnLevel,
} from './support/start-broker.ts'

const fixed = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret', STATIC_SCOPE: 'openid' }
/** The helper sets the URL of the token endpoint unless it is told otherwise. */
const discovered = (issuer: string) => ({ DEX_TOKEN_URL: '', DEX_ISSUER: issuer })
const inAMinute = () => Math.floor(Date.now() / 1000) + 60

async function ready(broker: BrokerUnderTest): Promise<void> {
  await until(async () => (await broker.admin('/readyz')).status === 200, 'readiness', 10_000)
}

describe('DEX_ISSUER alone', () => {
  test('yields tokens, and asks for the discovery document once', async () => {
    await using broker = await startBroker(({ issuer }) => discovered(issuer))
    const answers = await Promise.all(Array.from({ length: 50 }, () => broker.check({ headers: orders })))
    expect(new Set(answers.map(answer => bearerOf(answer))).size).toBe(1)
    expect(broker.dex.counts).toMatchObject({ tokenRequests: 1, discoveryRequests: 1 })
    expect(broker.log).toContainEqual(
      expect.objectContaining({ msg: 'issuer discovered', tokenEndpoint: broker.dex.tokenEndpoint }),
    )
  })

  test('keeps /readyz at 503 with a reason until it is discovered, and asking discovers it', async () => {
    await using broker = await startBroker(({ issuer }) => discovered(issuer))
    const page = await broker.admin('/readyz')
    expect([page.status, page.body]).toEqual([503, 'not ready: DEX_ISSUER is not discovered yet\n'])
    await ready(broker)
    expect(broker.dex.counts).toMatchObject({ discoveryRequests: 1, tokenRequests: 0 })
    const changes = broker.log.map(({ msg }) => msg).filter(msg => msg.includes('ready'))
    expect(changes).toEqual(['not ready: DEX_ISSUER is not discovered yet', 'ready'])
  })

  test('starts while Dex is down, says so, and becomes ready and hands out tokens when Dex comes', async () => {
    const gone = await startDex()
    await gone.close()
    await using broker = await startBroker(discovered(gone.issuer))
    const page = await broker.admin('/readyz')
    expect([page.status, page.body]).toEqual([503, 'not ready: DEX_ISSUER is not discovered yet\n'])
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
    expect(refused.body).not.toContain('DEX_ISSUER')
    expect(broker.log).toContainEqual(
      expect.objectContaining({
        msg: expect.stringContaining('issuer discovery failed'),
        hint: expect.stringContaining('DEX_ISSUER'),
        cause: 'ECONNREFUSED',
      }),
    )
    await using _back = await startDex({ port: gone.port })
    await ready(broker)
    bearerOf(await broker.check({ headers: orders }))
  })

  test('hands out the first token at once when a burst of checks found Dex down before', async () => {
    const gone = await startDex()
    await gone.close()
    await using broker = await startBroker(discovered(gone.issuer))
    for (let index = 0; index < 20; index++) {
      const headers = { ...orders, 'x-scope': `openid ${index}` }
      expect((await broker.check({ headers })).status).toBe(503)
    }
    expect(broker.log.filter(({ level }) => level > warnLevel).length).toBeLessThanOrEqual(3)
    await using _back = await startDex({ port: gone.port })
    await ready(broker)
    bearerOf(await broker.check({ headers: orders }))
  })

  test('is shown in the first line of the log, instead of a token endpoint', async () => {
    await using dex = await startDex()
    const addresses = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: 'off' }
    await using command = runCommand([], { ...addresses, DEX_ISSUER: dex.issuer })
    const { port } = await command.listening()
    bearerOf(await ask(port, { headers: orders }))
    const first = JSON.parse(command.stdout.split('\n')[0] ?? '')
    expect(first).toMatchObject({ msg: 'starting', issuer: dex.issuer })
    expect(first).not.toHaveProperty('tokenEndpoint')
  })
})

describe('DEX_ISSUER and a gate', () => {
  test("lets callers in with JWTs of Dex, by Dex's own keys, and refuses another issuer", async () => {
    await using broker = await startBroker(({ issuer }) => ({
      ...fixed,
      ...discovered(issuer),
      JWT_AUDIENCE: 'svc',
    }))
    const reason = 'DEX_ISSUER is not discovered yet, no key set loaded yet'
    expect((await broker.admin('/readyz')).body).toBe(`not ready: ${reason}\n`)
    const { dex } = broker
    const jwt = (iss: string) => dex.signJwt({ iss, aud: 'svc', exp: inAMinute() })
    bearerOf(await broker.check({ headers: { authorization: jwt(dex.issuer) } }))
    const refused = await broker.check({ headers: { authorization: jwt(`${dex.issuer}/`) } })
    expect([refused.status, errorOf(refused)]).toEqual([401, 'invalid_token'])
    expect((await broker.check()).status).toBe(401)
    await ready(broker)
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 1 })
  })

  test('is not ready before the keys of JWKS_URL are there, either', async () => {
    await using issuerOfCallers = await startDex()
    await using broker = await startBroker(({ issuer }) => ({
      ...fixed,
      ...discovered(issuer),
      JWKS_URL: issuerOfCallers.jwksUri,
      JWT_AUDIENCE: 'svc',
    }))
    issuerOfCallers.setFault('keys', { kind: 'html', status: 503 })
    expect((await broker.admin('/readyz')).status).toBe(503)
    await until(() => broker.log.some(({ msg }) => msg === 'issuer discovered'), 'discovery')
    expect((await broker.admin('/readyz')).status).toBe(503)
    issuerOfCallers.clearFaults()
    await ready(broker)
    const jwt = issuerOfCallers.signJwt({ aud: 'svc', exp: inAMinute() })
    bearerOf(await broker.check({ headers: { authorization: jwt } }))
  })
})

describe('in a split network', () => {
  const external = 'https://dex.example.com/dex'

  test('the internal URL as DEX_ISSUER is a 502 whose hint names the issuer and the variables', async () => {
    await using dex = await startDex({ issuer: external })
    const internal = dex.discoveryUri.replace('/.well-known/openid-configuration', '')
    await using broker = await startBroker(discovered(internal))
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([502, 'invalid_token_response'])
    expect(refused.body).not.toContain('dex.example.com')
    const hint = broker.log.find(({ msg }) => msg.includes('names another issuer'))?.['hint']
    for (const part of ['DEX_ISSUER', 'DEX_TOKEN_URL', 'JWKS_URL', external]) expect(hint).toContain(part)
    expect((await broker.admin('/readyz')).status).toBe(503)
  })

  test('the external issuer works beside the internal URLs, and nothing is discovered for it', async () => {
    await using dex = await startDex({ issuer: external })
    await using broker = await startBroker({
      ...fixed,
      DEX_ISSUER: external,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      JWKS_URL: dex.jwksUri,
      JWT_ISSUER: external,
      JWT_AUDIENCE: 'svc',
    })
    await ready(broker)
    const jwt = dex.signJwt({ iss: external, aud: 'svc', exp: inAMinute() })
    bearerOf(await broker.check({ headers: { authorization: jwt } }))
    expect(dex.counts.discoveryRequests).toBe(0)
    expect(broker.log.filter(({ level }) => level >= warnLevel)).toEqual([])
  })
})

test('MAX_TOKEN_AGE and REFRESH_AHEAD_RATIO reach the broker', async () => {
  await using broker = await startBroker({ MAX_TOKEN_AGE: '1ms', REFRESH_AHEAD_RATIO: '1' })
  bearerOf(await broker.check({ headers: orders }))
  await until(async () => {
    bearerOf(await broker.check({ headers: orders }))
    return broker.dex.counts.tokenRequests > 1
  }, 'another token')
})
