import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'

/**
 * TLS contexts that trust the roots of Node and of the system, and further certificates. Equal ones are shared while they are in
 * use: each takes about a megabyte outside the heap, which a reload of the configuration would otherwise take again.
 */
export class TrustContexts {
  readonly #contexts = new Map<string, WeakRef<SecureContext>>()

  /** Takes tens of milliseconds for certificates that are new. `caCertificates` is PEM. */
  contextOf(caCertificates = ''): SecureContext {
    const known = this.#contexts.get(caCertificates)?.deref()
    if (known !== undefined) return known
    for (const [key, context] of this.#contexts) if (context.deref() === undefined) this.#contexts.delete(key)
    const created = createContext(caCertificates)
    this.#contexts.set(caCertificates, new WeakRef(created))
    return created
  }
}

function createContext(caCertificates: string): SecureContext {
  // The system may have the same roots as Node, and duplicates.
  const roots = new Set([...getCACertificates('default'), ...getCACertificates('system')])
  // Like Go and OpenSSL's partial chains: an intermediate, or the server's own certificate, is enough.
  return createSecureContext({
    allowPartialTrustChain: true,
    ca: [...roots, ...(caCertificates === '' ? [] : [caCertificates])],
  })
}
