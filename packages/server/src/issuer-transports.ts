import type { IssuerOptions, Transport } from '@broker/core'
import { optionRules } from '@broker/core/options'
import type { Config } from './config/config.ts'
import { createDexTransport } from './dex-transport.ts'

/** How a broker reaches Dex and the issuers of its callers. */
export interface IssuerTransports {
  /** For Dex, and for issuers without certificates in the configuration file. */
  readonly transport: Transport
  /** The issuers of the configuration, each with the transport that trusts its certificates. */
  readonly issuers: readonly IssuerOptions[] | undefined
  close(): Promise<void>
}

/** Creates the transports for a configuration: one for Dex, and one for each issuer with a `caFile`. */
export function createIssuerTransports({ broker, ca, file }: Config): IssuerTransports {
  const {
    requestTimeoutMs: timeoutMs = optionRules.requestTimeoutMs.default,
    maxConnections = optionRules.maxConnections.default,
  } = broker
  const dex = createDexTransport({ caCertificates: ca?.certificates, timeoutMs, maxConnections })
  const ofIssuers = new Map(
    Object.entries(file?.issuerCertificates ?? {}).map(([name, { certificates }]) => [
      name,
      createDexTransport({ caCertificates: certificates, timeoutMs, maxConnections }),
    ]),
  )
  return {
    transport: dex.transport,
    issuers: broker.issuers?.map(issuer => {
      const transport = ofIssuers.get(issuer.name)?.transport
      return transport === undefined ? issuer : { ...issuer, transport }
    }),
    async close() {
      await Promise.all([dex, ...ofIssuers.values()].map(each => each.close()))
    },
  }
}
