import { type IssuedToken, TokenBroker, type TokenBrokerOptions, type TokenRequest } from '@broker/core'
import type { Config } from '../config/config.ts'
import { configuredBrokerOptions } from '../configured-broker-options.ts'
import { IssuerTransports } from '../issuer-transports.ts'

/**
 * Requests one token with the clients, the certificates and the proxies of a configuration; needs no gate, and uses no shared store.
 * `changes` replace options of the broker.
 *
 * Rejects with `BrokerError`, with the reason of the signal, or with `TypeError` for a request that names no known client. Leaves
 * nothing open.
 */
export async function configuredToken(
  config: Config,
  request: TokenRequest,
  signal: AbortSignal,
  changes: Partial<TokenBrokerOptions> = {},
): Promise<IssuedToken> {
  const transports = new IssuerTransports(config)
  try {
    await using broker = new TokenBroker({
      ...configuredBrokerOptions(config, transports, transports.issuers),
      ...changes,
    })
    return await broker.getToken({ ...request, signal })
  } finally {
    await transports.close()
  }
}
