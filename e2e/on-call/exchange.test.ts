import { type DevDex, startDevDex } from '@broker/dev-dex'
import { ask, type BrokerProcess, MountedVolume, startBroker } from '@broker/testing'
import { describe, expect, test } from 'vitest'

const portal = { id: 'portal', secret: 'portal-secret' }

/** A broker with one rule, which exchanges every JWT of the users' issuer, and the answer to a user. */
async function afterExchange(
  { connectorId = 'staff', claims = {} }: { connectorId?: string; claims?: object },
  check: (broker: BrokerProcess, answer: { status: number; body: string }) => Promise<void>,
) {
  await using idp: DevDex = await startDevDex({ clients: [{ id: 'orders', public: true }] })
  const connector = { type: 'oidc', id: 'staff', issuer: idp.issuer } as const
  await using dex = await startDevDex({ clients: [portal], connectors: [connector] })
  using volume = new MountedVolume({
    secret: portal.secret,
    'config.yaml': [
      `issuers: [{ name: staff, issuer: '${idp.issuer}', audiences: [orders] }]`,
      'clients: [{ name: portal, clientId: portal, clientSecret: { file: secret } }]',
      `rules: [{ name: users, when: 'true', exchange: { connectorId: ${connectorId}, client: portal } }]\n`,
    ].join('\n'),
  })
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    CONFIG_FILE: volume.file('config.yaml'),
  })
  const exp = Math.floor(Date.now() / 1000) + 600
  const jwt = idp.signJwt({ iss: idp.issuer, aud: 'orders', sub: 'jane', exp, ...claims })
  await check(broker, await ask(broker.port, { headers: { authorization: `Bearer ${jwt}` } }))
}

const requests = (outcome: string) =>
  `dex_token_broker_token_request_duration_seconds_count{outcome="${outcome}"}`

describe('a rule with exchange', () => {
  test('The connector of an exchange does not accept the JWTs', async () => {
    // Without `email` and `name`, which the connector needs by default.
    await afterExchange({}, async (broker, { status, body }) => {
      expect([status, JSON.parse(body).error]).toEqual([403, 'forbidden'])
      expect(broker.process.log).toMatch(
        /"code":"forbidden".*"connectorId":"staff".*failed to verify subject/,
      )
      expect(await broker.metric(requests('forbidden'))).toBe(1)
    })
  })

  test('The connector of an exchange does not exist', async () => {
    const claims = { email: 'jane@example.com', email_verified: true, name: 'Jane' }
    await afterExchange({ connectorId: 'stuff', claims }, async (broker, { status, body }) => {
      expect([status, JSON.parse(body).error]).toEqual([502, 'client_misconfigured'])
      expect(broker.process.log).toMatch(/"connectorId":"stuff".*the connector stuff does not exist/)
      expect(await broker.metric(requests('client_misconfigured'))).toBe(1)
    })
  })
})
