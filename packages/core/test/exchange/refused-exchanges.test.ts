import { type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { type RealDexOptions, startRealDex } from '@broker/dev-dex/real-dex'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExchangeRequest } from '../../src/clients/exchange-request.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf } from '../broker-with-dex.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { claimsOf } from './broker-with-users.ts'

/** The parts of a Dex that these tests need; a look-alike and a real one have them. */
interface Dex extends AsyncDisposable {
  readonly issuer: string
  readonly tokenEndpoint: string
}

type Options = Pick<
  DevDexOptions & RealDexOptions,
  'clients' | 'users' | 'passwordConnector' | 'connectors' | 'grantTypes'
>

const alice = {
  email: 'alice@example.com',
  password: 'a-password',
  username: 'alice',
  userID: 'u-alice',
  groups: ['team-a'],
}
const portal = { clientId: 'portal', clientSecret: 'portal-secret' } as const
const misconfigured = {
  code: 'client_misconfigured',
  status: 502,
  message: 'the configured token exchange was rejected',
}

/** What Dex answers, and what the broker makes of it. */
function describeRefusals(start: (options: Options) => Promise<Dex>): void {
  let idp: Dex
  let dex: Dex
  let jwt: string
  const brokers: TokenBroker[] = []

  beforeAll(async () => {
    idp = await start({
      clients: [{ id: 'web', secret: 'web-secret' }],
      users: [alice],
      passwordConnector: 'local',
    })
    dex = await start({
      clients: [
        { id: 'portal', secret: 'portal-secret' },
        { id: 'orders', secret: 'orders-secret', trustedPeers: ['portal'] },
        { id: 'closed', secret: 'closed-secret' },
        { id: 'confined', secret: 'confined-secret', allowedConnectors: ['browser'] },
      ],
      users: [alice],
      connectors: [
        { type: 'oidc', id: 'staff', issuer: idp.issuer, insecureEnableGroups: true },
        { type: 'oidc', id: 'browser', issuer: idp.issuer, grantTypes: ['authorization_code'] },
      ],
    })
    jwt = await passwordToken(idp)
  }, 40_000)

  afterAll(async () => {
    for (const broker of brokers) await broker.close()
    await dex?.[Symbol.asyncDispose]()
    await idp?.[Symbol.asyncDispose]()
  })

  /** The failure of an exchange, and the hint in the log. */
  async function refusal(request: Partial<ExchangeRequest>, options: Partial<TokenBrokerOptions> = {}) {
    const log = new RecordingLogger()
    const broker = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      client: portal,
      logger: log,
      ...options,
    })
    brokers.push(broker)
    const failure = await failureOf(broker.exchange({ subjectToken: jwt, connectorId: 'staff', ...request }))
    const text = JSON.stringify(log.lines)
    for (const part of jwt.split('.')) expect(text).not.toContain(part)
    expect(text).not.toContain('portal-secret')
    return { failure, lines: log.lines }
  }

  test('a good exchange is about the user', async () => {
    const broker = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint, client: portal })
    brokers.push(broker)
    const token = await broker.exchange({
      subjectToken: jwt,
      connectorId: 'staff',
      scope: 'openid email groups',
      audiences: ['orders'],
    })
    expect(claimsOf(token.accessToken)).toMatchObject({
      iss: dex.issuer,
      aud: ['orders', 'portal'],
      azp: 'portal',
      email: 'alice@example.com',
    })
    expect(token.expiresAt).toBeLessThanOrEqual(Number(claimsOf(jwt)['exp']) * 1000)
    expect(
      await broker.exchange({
        subjectToken: jwt,
        connectorId: 'staff',
        scope: 'groups email openid',
        audiences: ['orders'],
      }),
    ).toBe(token)
  })

  test('a subject token that is not good is forbidden', async () => {
    const [header, claims] = jwt.split('.')
    const { failure, lines } = await refusal({
      subjectToken: `${header}.${claims}.${Buffer.from('x').toString('base64url').repeat(40)}`,
    })
    expect(failure).toMatchObject({
      code: 'forbidden',
      status: 403,
      message: "the caller's token was not accepted for a token exchange",
      oauthError: 'access_denied',
      transient: false,
      hint: { problem: 'subject_not_accepted', option: 'exchange.connectorId', detail: 'staff' },
    })
    expect(lines).toMatchObject([
      { level: 'warn', fields: { connectorId: 'staff', clientId: 'portal', count: 1 } },
    ])
  })

  test('an access token is forbidden at a connector without userinfo', async () => {
    const { failure } = await refusal({ subjectTokenType: 'access_token' })
    expect(failure).toMatchObject({ code: 'forbidden', oauthError: 'access_denied' })
  })

  test.each([
    ['does not exist', 'nosuch', portal, 'invalid_request'],
    ['cannot exchange tokens', 'local', portal, 'invalid_request'],
    ['excludes the grant', 'browser', portal, 'invalid_request'],
    [
      'is not one of the client',
      'staff',
      { clientId: 'confined', clientSecret: 'confined-secret' },
      'invalid_grant',
    ],
  ])('a connector that %s is the fault of the operator', async (_, connectorId, client, oauthError) => {
    const { failure, lines } = await refusal({ connectorId }, { client })
    expect(failure).toMatchObject({
      ...misconfigured,
      oauthError,
      hint: { problem: 'connector_not_usable', option: 'exchange.connectorId', detail: connectorId },
    })
    expect(lines[0]?.fields['hint']).toContain(
      `the connector ${connectorId} does not exist, cannot exchange tokens`,
    )
  })

  test.each(['closed', 'nosuch'])(
    'an audience that does not trust the client is the fault of the operator: %s',
    async peer => {
      const { failure, lines } = await refusal({ audiences: [peer] }, { clients: { named: portal } })
      expect(failure).toMatchObject({
        ...misconfigured,
        oauthError: 'server_error',
        transient: false,
        hint: { problem: 'peer_does_not_trust_exchange', option: 'client.audiences' },
      })
      expect(lines).toHaveLength(1)
      expect(lines[0]?.fields['hint']).toMatch(
        /^add this client to the trustedPeers of each peer in client\.audiences/,
      )
    },
  )

  test.each([
    ['a wrong secret', { clientId: 'portal', clientSecret: 'wrong' }],
    ['an unknown client', { clientId: 'nobody', clientSecret: 'portal-secret' }],
  ])('%s is the fault of the operator', async (_, client) => {
    const { failure } = await refusal({}, { client })
    expect(failure).toMatchObject({
      code: 'client_misconfigured',
      oauthError: 'invalid_client',
      hint: { problem: 'credentials_rejected', option: 'client' },
    })
  })

  test('a Dex without the grant is the fault of the operator', async () => {
    await using without = await start({
      clients: [{ id: 'portal', secret: 'portal-secret' }],
      grantTypes: ['authorization_code'],
      users: [alice],
    })
    const { failure, lines } = await refusal({}, { tokenEndpoint: without.tokenEndpoint })
    expect(failure).toMatchObject({
      code: 'invalid_token_response',
      status: 502,
      message: 'the token endpoint does not support token exchange',
      hint: { problem: 'exchange_not_supported', option: 'client' },
    })
    expect(lines[0]?.fields['hint']).toMatch(
      /^list urn:ietf:params:oauth:grant-type:token-exchange in oauth2\.grantTypes/,
    )
  })
}

/** The ID token of alice. */
async function passwordToken({ tokenEndpoint }: Dex): Promise<string> {
  const answer = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('web:web-secret').toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'password',
      username: alice.email,
      password: alice.password,
      scope: 'openid email profile groups',
    }),
  })
  return ((await answer.json()) as { id_token: string }).id_token
}

describe('refused exchanges at the look-alike', () => {
  describeRefusals(startDevDex)
})

const binary = process.env['DEX_BIN'] ?? ''

describe('refused exchanges at a real Dex', needs({ DEX_BIN: binary !== '' }), () => {
  describeRefusals(options => startRealDex(binary, options))
})
