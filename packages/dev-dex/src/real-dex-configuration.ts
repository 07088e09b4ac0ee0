import { type DexClient, indexDexClients } from './dex-client.ts'
import { defaultGrantTypes } from './grant-types.ts'
import type { SigningAlgorithm } from './signing-key.ts'

/** The settings of a real Dex that tests can choose; the same names and defaults as for the look-alike. */
export interface RealDexSettings {
  readonly clients?: readonly DexClient[]
  /** Path of the issuer; default `/dex`. */
  readonly issuerPath?: string
  /** Lifetime of access and ID tokens; default 24 hours. */
  readonly idTokensMs?: number
  /** Algorithm of the keys; default RS256. */
  readonly algorithm?: SigningAlgorithm
  /** Grants to serve, in place of Dex's own default list, which lacks client_credentials. */
  readonly grantTypes?: readonly string[]
  /** How long a key signs; default 6 hours. Dex looks every 30 seconds. */
  readonly keysRotationMs?: number
}

/** YAML, unlike JSON, folds these inside a string. */
const yamlLineBreaks = /[\u0085\u2028\u2029]/g

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function staticClient(client: DexClient): object {
  return {
    id: client.id,
    name: client.name ?? client.id,
    secret: client.secret,
    public: client.public,
    trustedPeers: client.trustedPeers,
    clientCredentialsClaims: client.groups && { groups: client.groups },
  }
}

/** Dex's configuration on memory storage; it is JSON, which YAML contains. */
export function realDexConfiguration(issuer: string, address: string, settings: RealDexSettings): string {
  const configuration = {
    issuer,
    storage: { type: 'memory' },
    web: { http: address },
    oauth2: { grantTypes: settings.grantTypes ?? defaultGrantTypes },
    expiry: { idTokens: `${settings.idTokensMs ?? 86_400_000}ms` },
    signer: {
      type: 'local',
      config: {
        keysRotationPeriod: `${settings.keysRotationMs ?? 21_600_000}ms`,
        algorithm: settings.algorithm ?? 'RS256',
      },
    },
    staticClients: [...indexDexClients(settings.clients ?? []).values()].map(staticClient),
    // Dex does not start without a connector; this one serves no client_credentials request.
    connectors: [{ type: 'mockCallback', id: 'mock', name: 'Mock' }],
  }
  return JSON.stringify(configuration, undefined, 2).replace(yamlLineBreaks, escapeCharacter)
}
