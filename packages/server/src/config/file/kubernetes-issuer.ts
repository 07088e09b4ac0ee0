import type { IssuerOptions } from '@broker/core'
import { Refusal } from '../values/refusal.ts'

/** Makes the issuer of a Kubernetes cluster. Throws a `Refusal` when the cluster cannot be found. */
export type KubernetesIssuer = (
  options: Omit<IssuerOptions, 'transport'> & {
    readonly server?: string | undefined
    readonly caFile?: string | undefined
    readonly tokenFile?: string | undefined
  },
) => IssuerOptions

export const kubernetesIssuer: KubernetesIssuer = () => {
  throw new Refusal('is not supported by this version of the broker')
}
