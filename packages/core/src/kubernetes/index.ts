export { type KubernetesIssuerOptions, kubernetesIssuer } from './kubernetes-issuer.ts'
