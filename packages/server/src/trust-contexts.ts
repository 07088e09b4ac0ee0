import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { KeyPair } from './config/values/key-pair.ts'

/** A certificate with its key, for the side of the client. */
export type TlsIdentity = Pick<KeyPair, 'certificates' | 'key'>

/**
 * TLS contexts that trust the roots of Node and of the system, and further certificates. Equal ones are shared while they are in
 * use: each takes about a megabyte outside the heap, which a reload of the configuration would otherwise take again.
 */
export class TrustContexts {
  readonly #contexts = new Map<string, WeakRef<SecureContext>>()

  /** Takes tens of milliseconds for certificates that are new. `caCertificates` is PEM; `identity` is shown to servers that ask. */
  contextOf(caCertificates = '', identity?: TlsIdentity): SecureContext {
    const name = [caCertificates, identity?.certificates, identity?.key].join('\n')
    const known = this.#contexts.get(name)?.deref()
    if (known !== undefined) return known
    for (const [key, context] of this.#contexts) if (context.deref() === undefined) this.#contexts.delete(key)
    const created = createContext(caCertificates, identity)
    this.#contexts.set(name, new WeakRef(created))
    return created
  }
}

function createContext(caCertificates: string, identity: TlsIdentity | undefined): SecureContext {
  // The system may have the same roots as Node, and duplicates.
  const roots = new Set([...getCACertificates('default'), ...getCACertificates('system')])
  // Like Go and OpenSSL's partial chains: an intermediate, or the server's own certificate, is enough.
  return createSecureContext({
    allowPartialTrustChain: true,
    ...(identity && { cert: identity.certificates, key: identity.key }),
    ca: [...roots, ...(caCertificates === '' ? [] : [caCertificates])],
  })
}
