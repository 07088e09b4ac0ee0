import { type DevDex, startDevDex } from '@broker/dev-dex'
import { ask, type BrokerProcess, MountedVolume, startBroker } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { expectSighting, type OnCallView, viewOf } from './on-call-view.ts'

const portal = { id: 'portal', secret: 'portal-secret' }

/** A broker with one rule, which exchanges every JWT of the users' issuer, and the answer to a user. */
async function afterExchange(
  { connectorId = 'staff', claims = {} }: { connectorId?: string; claims?: object },
  check: (
    broker: BrokerProcess & { readonly view: OnCallView },
    answer: { status: number; body: string },
  ) => Promise<void>,
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
  const environment = { DEX_TOKEN_URL: dex.tokenEndpoint, CONFIG_FILE: volume.file('config.yaml') }
  await using broker = await startBroker(environment)
  const exp = Math.floor(Date.now() / 1000) + 600
  const jwt = idp.signJwt({ iss: idp.issuer, aud: 'orders', sub: 'jane', exp, ...claims })
  const view = viewOf(broker, environment)
  await check({ ...broker, view }, await ask(broker.port, { headers: { authorization: `Bearer ${jwt}` } }))
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
      // Dex is right about one user's JWT: no problem of the broker, and Dex takes the exchange itself.
      await expectSighting(broker.view, {})
    })
  })

  test('The connector of an exchange does not exist', async () => {
    const claims = { email: 'jane@example.com', email_verified: true, name: 'Jane' }
    await afterExchange({ connectorId: 'stuff', claims }, async (broker, { status, body }) => {
      expect([status, JSON.parse(body).error]).toEqual([502, 'client_misconfigured'])
      expect(broker.process.log).toMatch(/"connectorId":"stuff".*the connector stuff does not exist/)
      expect(await broker.metric(requests('client_misconfigured'))).toBe(1)
      const action = /^check exchange\.connectorId and the log of Dex: the connector stuff does not exist,/
      await expectSighting(broker.view, {
        page: {
          kind: 'client-refused',
          summary: 'Dex refuses the client portal: the configured token exchange was rejected',
          action,
        },
        doctor: {
          name: 'exchange by stuff with portal',
          fact: /Requested connector does not exist\.\)$/,
          advice: action,
        },
      })
    })
  })
})
