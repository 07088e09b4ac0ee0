import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Transport } from '@broker/core'
import { undiciTransport } from '@broker/core/undici'
import { Agent, Pool } from 'undici'

/** An attempt to connect to one of several addresses: this part of the whole time, and never less than Node's own limit. */
const attemptPart = 0.4
const minAttemptMs = 250

export interface DexTransportOptions {
  /** PEM; trusted beside the roots that Node ships and those of the system. */
  readonly caCertificates?: string | undefined
  readonly timeoutMs: number
  /** Connections to each place. The broker keeps its own line before them, so nothing waits here but key sets and discovery. */
  readonly maxConnections: number
}

/** undici with a pool of its own, so that the process's global dispatcher stays as it is. */
export interface DexTransport {
  readonly transport: Transport
  close(): Promise<void>
}

export function createDexTransport({
  caCertificates,
  timeoutMs,
  maxConnections,
}: DexTransportOptions): DexTransport {
  const agent = new Agent({
    // One more, for the key set and discovery: they must not wait behind token requests.
    connections: maxConnections + 1,
    allowH2: false,
    headersTimeout: timeoutMs,
    // Node gives each address 250 ms, which a slow network does not keep: of two addresses the second one must have its chance.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(minAttemptMs, timeoutMs * attemptPart),
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
  // As Go and OpenSSL's partial chains do: an intermediate, or the very certificate, is enough.
  return createSecureContext({
    allowPartialTrustChain: true,
    ca: [...roots, ...(caCertificates === undefined ? [] : [caCertificates])],
  })
}
