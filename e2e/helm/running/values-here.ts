import { exampleValues } from '../release-values.ts'
import type { Secrets } from './pod-here.ts'
import { audience, ownClient, type Surroundings } from './scene.ts'

export type Mode = 'header' | 'gate' | 'rules'

/** The Secrets that the examples and the manifests name. */
export const secrets: Secrets = {
  'dex-token-broker': { 'client-secret': ownClient.secret },
  'dex-clients': { 'orders-gateway': ownClient.secret },
}

type Values = Readonly<Record<string, unknown>>

/** The example values of a mode, with the addresses of this machine. */
export function valuesHere(mode: Mode, { dex, staff }: Surroundings): Values {
  const example = exampleValues(mode)
  const values = { ...example, dex: { issuer: dex.issuer, allowInsecureUrl: true } }
  if (mode === 'header') return values
  if (mode === 'gate') {
    const gate = { audiences: [audience], issuer: staff.issuer, jwksUrl: `${staff.issuer}/keys` }
    return { ...values, gate, client: { ...(example['client'] as object), id: ownClient.id } }
  }
  const config = example['config'] as { readonly issuers: object[]; readonly clients: object[] }
  const [issuer, client] = [config.issuers[0], config.clients[0]]
  return {
    ...values,
    config: {
      ...config,
      issuers: [{ ...issuer, issuer: staff.issuer, audiences: [audience] }],
      clients: [{ ...client, clientId: ownClient.id }],
    },
  }
}

/** The variables of a pod of the manifests, with the addresses of this machine. */
export function environmentHere(
  env: Readonly<Record<string, string>>,
  { dex, staff }: Surroundings,
): Readonly<Record<string, string>> {
  const here: Readonly<Record<string, string>> = {
    DEX_ISSUER: dex.issuer,
    JWKS_URL: `${staff.issuer}/keys`,
    JWT_ISSUER: staff.issuer,
    JWT_AUDIENCE: audience,
  }
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here[name] ?? value]))
}
