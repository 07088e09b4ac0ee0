import { getCACertificates } from 'node:tls'
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
      // Reading the system's roots takes longer than any other part of the start, and a Dex by plain HTTP needs none.
      const ca = String(origin).startsWith('https:') ? trustedRoots(caCertificates) : undefined
      return new Pool(origin, { ...options, connect: { timeout: timeoutMs, ...(ca && { ca }) } })
    },
  })
  return {
    transport: undiciTransport(agent),
    close: () => agent.destroy(),
  }
}

function trustedRoots(caCertificates: string | undefined): string[] {
  return [
    ...getCACertificates('default'),
    ...getCACertificates('system'),
    ...(caCertificates === undefined ? [] : [caCertificates]),
  ]
}
