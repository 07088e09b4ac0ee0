import { type DevDex, type DevDexOptions, startDevDex, type UserTokenOptions } from '@broker/dev-dex'
import type { ExchangeRequest } from '../../src/clients/exchange-request.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import type { IssuedToken } from '../../src/tokens/issued-token.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

export const portal = { clientId: 'portal', clientSecret: 'portal-secret' } as const
export const reports = { clientId: 'reports', clientSecret: 'reports-secret' } as const

export interface BrokerWithUsers extends AsyncDisposable {
  /** The identity provider of the users. */
  readonly idp: DevDex
  /** The Dex of the broker, with the connectors `staff` and `partners` to the identity provider. */
  readonly dex: DevDex
  readonly broker: TokenBroker
  /** Drives the broker and both issuers. */
  readonly clock: ManualClock
  readonly log: RecordingLogger
  /** A new JWT of a user, for the audience `web`. */
  jwtOf(user: string, changes?: Partial<UserTokenOptions>): string
  /** Exchanges a JWT at the connector `staff`. */
  exchange(subjectToken: string, changes?: Partial<ExchangeRequest>): Promise<IssuedToken>
}

type Options = Partial<TokenBrokerOptions> | ((idp: DevDex, dex: DevDex) => Partial<TokenBrokerOptions>)

/** A broker, the Dex behind it, and the identity provider of its users. */
export async function startBrokerWithUsers(
  options: Options = {},
  { idp: idpOptions = {}, dex: dexOptions = {} }: { idp?: DevDexOptions; dex?: DevDexOptions } = {},
): Promise<BrokerWithUsers> {
  const clock = new ManualClock()
  const log = new RecordingLogger()
  const common = { algorithm: 'ES256', now: clock.wall } as const
  const idp = await startDevDex({
    ...common,
    idTokensMs: 600_000,
    clients: [{ id: 'web', public: true }],
    ...idpOptions,
  })
  const toIdp = { type: 'oidc', issuer: idp.issuer, insecureEnableGroups: true } as const
  const dex = await startDevDex({
    ...common,
    idTokensMs: 86_400_000,
    connectors: [
      { ...toIdp, id: 'staff' },
      { ...toIdp, id: 'partners' },
      { ...toIdp, id: 'userinfo', getUserInfo: true },
      { ...toIdp, id: 'browser', grantTypes: ['authorization_code'] },
    ],
    clients: [
      { id: 'portal', secret: 'portal-secret' },
      { id: 'reports', secret: 'reports-secret' },
      { id: 'orders', secret: 'orders-secret', trustedPeers: ['portal'] },
      { id: 'confined', secret: 'confined-secret', allowedConnectors: ['partners'] },
    ],
    ...dexOptions,
  })
  const broker = new TokenBroker({
    tokenEndpoint: dex.tokenEndpoint,
    client: portal,
    clock,
    logger: log,
    ...(typeof options === 'function' ? options(idp, dex) : options),
  })
  return {
    idp,
    dex,
    broker,
    clock,
    log,
    jwtOf: (user, changes) =>
      idp.userToken({
        client: 'web',
        userID: user,
        email: `${user}@example.com`,
        username: user,
        groups: ['team-a'],
        ...changes,
      }),
    exchange: (subjectToken, changes) => broker.exchange({ subjectToken, connectorId: 'staff', ...changes }),
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
      await idp.close()
    },
  }
}

/** The gate that accepts the JWTs of `jwtOf`. */
export function gateOf(idp: DevDex): Partial<TokenBrokerOptions> {
  return { gate: { jwksUri: idp.jwksUri, issuer: idp.issuer, audience: 'web' } }
}

/** The claims of a JWT. */
export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}
