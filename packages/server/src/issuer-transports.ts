import type { IssuerOptions, Transport } from '@broker/core'
import { optionRules } from '@broker/core/options'
import type { Config, LoadedFile } from './config/config.ts'
import type { KeyPair } from './config/values/key-pair.ts'
import { DexTransport, type DexTransportOptions } from './dex-transport.ts'
import { ProxyRules } from './proxy-rules.ts'
import { TrustContexts } from './trust-contexts.ts'

/** The parts of a configuration that transports depend on. */
type TransportConfig = Pick<Config, 'broker' | 'ca' | 'dexClientPair' | 'proxies'> & {
  readonly file?: Pick<LoadedFile, 'issuerCertificates'> & Partial<Pick<LoadedFile, 'clientIdentities'>>
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
 * How a broker reaches Dex and the issuers of its callers: one transport for Dex, and one for each issuer that cannot share it.
 * A transport stays the same function when its certificates change, so that a broker keeps
 * what it has learned through it.
 */
export class IssuerTransports {
  readonly #trust = new TrustContexts()
  readonly #dex: DexTransport
  /** Of the environment, which does not change. */
  readonly #proxies: ProxyRules | undefined
  #ofIssuers: ReadonlyMap<string, DexTransport> = new Map()
  /** The issuers of the first configuration. */
  readonly issuers: readonly IssuerOptions[] | undefined

  constructor(config: TransportConfig) {
    this.#proxies = config.proxies && new ProxyRules(config.proxies)
    this.#dex = new DexTransport(this.#dexOptions(config), this.#trust)
    const prepared = this.prepare(config)
    this.issuers = prepared.issuers
    prepared.commit()
  }

  /** For Dex, and for issuers that share its transport. */
  get transport(): Transport {
    return this.#dex.transport
  }

  prepare(config: TransportConfig): PreparedTransports {
    const { broker, file } = config
    const wanted = issuersApart(config).map(name => {
      const options = {
        ...this.#options(config, (file?.issuerCertificates[name] ?? config.ca)?.certificates),
        identity: file?.clientIdentities?.ofIssuers[name],
      }
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
        this.#dex.renew(this.#dexOptions(config))
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

  /** The proxy that requests to a URL take. */
  proxyOf(url: string): URL | undefined {
    return this.#proxies?.proxyOf(url)
  }

  #dexOptions(config: TransportConfig): DexTransportOptions {
    return { ...this.#options(config, config.ca?.certificates), identity: ownIdentityOf(config) }
  }

  #options({ broker }: TransportConfig, caCertificates: string | undefined): DexTransportOptions {
    const {
      requestTimeoutMs: timeoutMs = optionRules.requestTimeoutMs.default,
      maxConnections = optionRules.maxConnections.default,
    } = broker
    return { caCertificates, timeoutMs, maxConnections, proxies: this.#proxies }
  }
}

/**
 * The names of the issuers that do not share the transport of Dex: those with certificates in the configuration file, their own or their clients', and those that must not
 * get the client certificate, because they issue JWTs of callers and no client gets its tokens there.
 */
function issuersApart(config: TransportConfig): readonly string[] {
  const { broker, file } = config
  const hasIdentity = ownIdentityOf(config) !== undefined
  const { issuers = [], clients = {}, issuer: dex } = broker
  const withCertificates = { ...file?.issuerCertificates, ...file?.clientIdentities?.ofIssuers }
  const dexesOfClients = Object.values(clients).map(client => client.dex)
  const isDexOfClients = ({ name, issuer }: IssuerOptions) =>
    dexesOfClients.includes(name) || (issuer !== undefined && issuer === dex)
  return issuers
    .filter(each => each.name in withCertificates || (hasIdentity && !isDexOfClients(each)))
    .map(({ name }) => name)
}

/** The client certificate for Dex: of a client in the configuration file, or of the variables. */
function ownIdentityOf({ file, dexClientPair }: TransportConfig): KeyPair | undefined {
  return file?.clientIdentities?.own ?? dexClientPair
}
