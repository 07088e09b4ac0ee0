import type { TokenBrokerOptions } from '@broker/core'
import type { Config } from './config/config.ts'
import { describeHint } from './describe-hint.ts'
import type { IssuerTransports } from './issuer-transports.ts'
import { version } from './version.ts'

/**
 * The options of a broker that a configuration and its transports determine, the same for the server and for its commands, so that a request
 * fails in both in the same way. `issuers` has the transports of the issuers.
 */
export function configuredBrokerOptions(
  config: Config,
  { transport }: Pick<IssuerTransports, 'transport'>,
  issuers: TokenBrokerOptions['issuers'],
): TokenBrokerOptions {
  return {
    ...config.broker,
    ...(issuers && { issuers }),
    transport,
    userAgent: `dex-token-broker/${version()}`,
    describeHint,
  }
}
