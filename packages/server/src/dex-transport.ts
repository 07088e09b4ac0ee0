import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Transport } from '@broker/core'
import { undiciTransport } from '@broker/core/undici'
import { Agent, Pool } from 'undici'

/** Connections to each of Dex and the JWKS endpoint: as many requests go out at the same time, the rest wait. */
const maxConnections = 32

export interface DexTransportOptions {
  /** PEM; trusted beside the roots that Node ships and those of the system. */
  readonly caCertificates?: string | undefined
  readonly timeoutMs: number
}

/** undici with a pool of its own, so that the process's global dispatcher stays as it is. */
export interface DexTransport {
  readonly transport: Transport
  close(): Promise<void>
}

export function createDexTransport({ caCertificates, timeoutMs }: DexTransportOptions): DexTransport {
  const agent = new Agent({
    connections: maxConnections,
    allowH2: false,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    factory: (origin, options) => {
      // Reading all roots takes tens of milliseconds: once for each place, not for each connection, and never for plain HTTP.
      const tls = String(origin).startsWith('https:') && { secureContext: trust(caCertificates) }
      return new Pool(origin, { ...options, connect: { timeout: timeoutMs, ...tls } })
    },
  })
  return {
    transport: undiciTransport(agent),
    close: () => agent.destroy(),
  }
}

function trust(caCertificates: string | undefined): SecureContext {
  // The system may have the same roots as Node, several times.
  const roots = new Set([...getCACertificates('default'), ...getCACertificates('system')])
  return createSecureContext({ ca: [...roots, ...(caCertificates === undefined ? [] : [caCertificates])] })
}
