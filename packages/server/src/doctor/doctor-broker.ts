import { type BrokerError, TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { configuredBrokerOptions } from '../configured-broker-options.ts'
import type { DoctorContext } from './doctor-context.ts'

/** Makes a broker of the configuration, for the length of one check. `changes` replace its options. */
export function doctorBroker(
  { config, transports, userAgent }: DoctorContext,
  changes: Partial<TokenBrokerOptions> = {},
): TokenBroker {
  return new TokenBroker({
    ...configuredBrokerOptions(config, transports, transports.issuers),
    userAgent,
    ...changes,
  })
}

/** Why the gate refuses a JWT, in words that follow "the JWT"; the message when the gate has no keys. */
export function refusalText(error: BrokerError): string {
  return error.cause instanceof Error && error.cause.name === 'JwtRefusal'
    ? error.cause.message
    : error.message
}
