import type { IssuerOptions, Transport } from '@broker/core'
import { optionRules } from '@broker/core/options'
import type { Config, LoadedFile } from './config/config.ts'
import { DexTransport, type DexTransportOptions } from './dex-transport.ts'
import { TrustContexts } from './trust-contexts.ts'

/** The parts of a configuration that transports depend on. */
type TransportConfig = Pick<Config, 'broker' | 'ca'> & {
  readonly file?: Pick<LoadedFile, 'issuerCertificates'>
}

/** Transports for another configuration, before they are in use. */
export interface PreparedTransports {
  /** The issuers of the configuration, each with the transport that trusts its certificates. */
  readonly issuers: readonly IssuerOptions[] | undefined
  /** Uses them from now on. Requests under way are finished as they began. */
  commit(): void
  /** Forgets them. */
  discard(): void
}

/**
 * How a broker reaches Dex and the issuers of its callers: one transport for Dex, and one for each issuer with a `caFile`. A transport
 * stays the same function when its certificates change, so that a broker keeps what it has learned through it.
 */
export class IssuerTransports {
  readonly #trust = new TrustContexts()
  readonly #dex: DexTransport
  #ofIssuers: ReadonlyMap<string, DexTransport> = new Map()
  /** The issuers of the first configuration. */
  readonly issuers: readonly IssuerOptions[] | undefined

  constructor(config: TransportConfig) {
    this.#dex = new DexTransport(optionsOf(config, config.ca?.certificates), this.#trust)
    const prepared = this.prepare(config)
    this.issuers = prepared.issuers
    prepared.commit()
  }

  /** For Dex, and for issuers without certificates in the configuration file. */
  get transport(): Transport {
    return this.#dex.transport
  }

  prepare(config: TransportConfig): PreparedTransports {
    const { broker, ca, file } = config
    const wanted = Object.entries(file?.issuerCertificates ?? {}).map(([name, { certificates }]) => {
      const options = optionsOf(config, certificates)
      const existing = this.#ofIssuers.get(name)
      return { name, options, existing, transport: existing ?? new DexTransport(options, this.#trust) }
    })
    const ofIssuers = new Map(wanted.map(({ name, transport }) => [name, transport]))
    return {
      issuers: broker.issuers?.map(issuer => {
        const transport = ofIssuers.get(issuer.name)?.transport
        return transport === undefined ? issuer : { ...issuer, transport }
      }),
      commit: () => {
        this.#dex.renew(optionsOf(config, ca?.certificates))
        for (const { existing, options } of wanted) existing?.renew(options)
        for (const [name, transport] of this.#ofIssuers) if (!ofIssuers.has(name)) transport.retire()
        this.#ofIssuers = ofIssuers
      },
      discard: () => {
        for (const { existing, transport } of wanted) if (existing === undefined) transport.retire()
      },
    }
  }

  async close(): Promise<void> {
    const all = [this.#dex, ...this.#ofIssuers.values()]
    await Promise.all(all.map(each => each.close()))
  }
}

function optionsOf({ broker }: TransportConfig, caCertificates: string | undefined): DexTransportOptions {
  const {
    requestTimeoutMs: timeoutMs = optionRules.requestTimeoutMs.default,
    maxConnections = optionRules.maxConnections.default,
  } = broker
  return { caCertificates, timeoutMs, maxConnections }
}
