import type { IssuerOptions } from '@broker/core'

/** Makes the issuer of a Kubernetes cluster. Throws a `Refusal` when the cluster cannot be found. */
export type KubernetesIssuer = (
  options: Omit<IssuerOptions, 'transport'> & {
    readonly server?: string | undefined
    readonly caFile?: string | undefined
    readonly tokenFile?: string | undefined
  },
) => IssuerOptions
