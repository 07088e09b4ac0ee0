import type { Transport } from '@broker/core'
import { undiciTransport } from '@broker/core/undici'
import { Agent, Pool, ProxyAgent } from 'undici'
import { proxyFailure } from './proxy-failure.ts'
import type { ProxyRules } from './proxy-rules.ts'
import { type TlsIdentity, TrustContexts } from './trust-contexts.ts'

/** An attempt to connect to one of several addresses takes at most this fraction of the timeout, and at least Node's own limit. */
const attemptPart = 0.4
const minAttemptMs = 250

/** undici's options for a host with several addresses, one of which may be dead. */
export function addressOptions(
  timeoutMs: number,
): Required<Pick<Agent.Options, 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout'>> {
  return {
    autoSelectFamily: true,
    // Node allows each address 250 ms, too little on a slow network; the second of two addresses must still be tried.
    autoSelectFamilyAttemptTimeout: Math.max(minAttemptMs, timeoutMs * attemptPart),
  }
}

export interface DexTransportOptions {
  /** PEM; trusted in addition to the roots of Node and of the system. */
  readonly caCertificates?: string | undefined
  /** The client certificate, for servers that ask for one. */
  readonly identity?: TlsIdentity | undefined
  readonly timeoutMs: number
  /** Connections to each origin. The broker queues token requests before them, so only key sets and discovery can wait here. */
  readonly maxConnections: number
  /** Default: direct connections. The same for the life of a transport. */
  readonly proxies?: ProxyRules | undefined
}

/** undici with a separate pool, so that the process's global dispatcher is unchanged. */
export class DexTransport {
  readonly #trust: TrustContexts
  #options: DexTransportOptions
  #agent: Agent
  #send: Transport

  /** Transports that trust the same certificates share `trust`. */
  constructor(options: DexTransportOptions, trust: TrustContexts = new TrustContexts()) {
    this.#trust = trust
    this.#options = options
    this.#agent = createAgent(options, trust)
    this.#send = undiciTransport(this.#agent)
  }

  /** Sends a request. The same function before and after {@link renew}, so that a broker sees no other transport. */
  readonly transport: Transport = (url, request) =>
    this.#options.proxies?.proxyOf(url) === undefined
      ? this.#send(url, request)
      : this.#send(url, request).catch(error => Promise.reject(proxyFailure(error)))

  /** Uses other options for new requests, on new connections. Requests under way are finished as they began. */
  renew(options: DexTransportOptions): void {
    const { caCertificates, identity, timeoutMs, maxConnections } = this.#options
    const isSame =
      options.caCertificates === caCertificates &&
      options.identity?.certificates === identity?.certificates &&
      options.identity?.key === identity?.key &&
      options.timeoutMs === timeoutMs &&
      options.maxConnections === maxConnections
    if (isSame) return
    this.#options = options
    this.#replaceAgent()
  }

  /**
   * Closes the connections when their requests have ended. A check that began before may still send requests, on new connections
   * that close when they are idle: keys need discovery first.
   */
  retire(): void {
    this.#replaceAgent()
  }

  /** Aborts requests under way, except those from before the last {@link renew}: their own signals abort them. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #replaceAgent(): void {
    const replaced = this.#agent
    this.#agent = createAgent(this.#options, this.#trust)
    this.#send = undiciTransport(this.#agent)
    // A broker that closes aborts its requests, so that none of them keeps an agent, or the process, alive.
    replaced.close().catch(() => {})
  }
}

function createAgent(options: DexTransportOptions, trust: TrustContexts): Agent {
  const { caCertificates, identity, timeoutMs, maxConnections, proxies } = options
  const shared = {
    ...addressOptions(timeoutMs),
    // One more for the key set and discovery, which must not wait behind token requests.
    connections: maxConnections + 1,
    allowH2: false,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  }
  return new Agent({
    ...shared,
    factory: (origin, poolOptions) => {
      // Reading all roots takes tens of milliseconds, so it never happens for plain HTTP.
      const tls = String(origin).startsWith('https:') && {
        secureContext: trust.contextOf(caCertificates, identity),
      }
      const proxy = proxies?.proxyOf(String(origin))
      if (proxy === undefined) {
        return new Pool(origin, { ...poolOptions, connect: { timeout: timeoutMs, ...tls } })
      }
      return new ProxyAgent({
        ...shared,
        uri: proxy.href,
        connectTimeout: timeoutMs,
        proxyTls: {
          ...addressOptions(timeoutMs),
          // The client certificate is for Dex alone.
          ...(proxy.protocol === 'https:' && { secureContext: trust.contextOf(caCertificates) }),
        },
        ...(tls && { requestTls: tls }),
        // Both would be without limits: a proxy that hangs must not keep the connections of later requests.
        clientFactory: (url, clientOptions) => new Pool(url, { ...shared, ...clientOptions }),
        factory: (url, clientOptions) => new Pool(url, { ...shared, ...clientOptions }),
      })
    },
  })
}
