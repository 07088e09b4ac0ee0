import type { IssuerOptions } from '@broker/core'
import { type KubernetesIssuerOptions, kubernetesIssuer } from '@broker/core/kubernetes'

/**
 * Makes the issuers of Kubernetes clusters. Equal options give the same issuer, so that a broker that reads its configuration again
 * sees the same transport and keeps the keys.
 */
export class KubernetesIssuers {
  readonly #made = new Map<string, IssuerOptions>()

  /** An arrow function, so that it can be passed on. */
  readonly issuerOf = (options: KubernetesIssuerOptions): IssuerOptions => {
    const key = JSON.stringify(options)
    const issuer = this.#made.get(key) ?? kubernetesIssuer(options)
    this.#made.set(key, issuer)
    return issuer
  }
}
