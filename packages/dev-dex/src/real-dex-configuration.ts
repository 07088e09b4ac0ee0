import { hash } from 'bcryptjs'
import { type DexClient, indexDexClients } from './dex-client.ts'
import { type DexConnector, defaultConnectors } from './dex-connector.ts'
import { type DexUser, indexDexUsers } from './dex-user.ts'
import { defaultGrantTypes } from './grant-types.ts'
import type { SigningAlgorithm } from './signing-key.ts'

/** The settings of a real Dex that tests can choose; the same names and defaults as for the look-alike. */
export interface RealDexSettings {
  readonly clients?: readonly DexClient[]
  /** Users with a password; a list, even an empty one, adds the connector `local`. */
  readonly users?: readonly DexUser[]
  /** Connectors whose tokens can be exchanged; default one of type `mockCallback` with the id `mock`. */
  readonly connectors?: readonly DexConnector[]
  /** Id of the connector that checks passwords, usually `local`. Without it there is no password grant. */
  readonly passwordConnector?: string
  /** Path of the issuer; default `/dex`. */
  readonly issuerPath?: string
  /** The whole issuer, for a Dex that is known by another URL than it is reached by; overrides `issuerPath`. */
  readonly issuer?: string
  /** A file for SQLite, which keeps keys, sessions and refresh tokens across restarts. Default: memory. */
  readonly sqliteFile?: string
  /** Lifetime of access and ID tokens; default 24 hours. */
  readonly idTokensMs?: number
  /** Algorithm of the keys; default RS256. */
  readonly algorithm?: SigningAlgorithm
  /** Grants to serve, in place of Dex's own default list, which lacks client_credentials. */
  readonly grantTypes?: readonly string[]
  /** How long a key signs; default 6 hours. Dex looks every 30 seconds. */
  readonly keysRotationMs?: number
}

/** The cost that Dex asks of a bcrypt hash at least. */
const lowestHashCost = 10

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
    allowedConnectors: client.allowedConnectors,
    clientCredentialsClaims: client.groups && { groups: client.groups },
  }
}

async function staticPassword({ password, ...user }: DexUser): Promise<object> {
  return { ...user, hash: await hash(password, lowestHashCost) }
}

function staticConnector({ type, id, grantTypes, ...config }: DexConnector): object {
  return { type, id, name: id, grantTypes, config }
}

function storage(sqliteFile: string | undefined): object {
  return sqliteFile === undefined ? { type: 'memory' } : { type: 'sqlite3', config: { file: sqliteFile } }
}

/** Dex's configuration; it is JSON, which YAML contains. */
export async function realDexConfiguration(
  issuer: string,
  address: string,
  settings: RealDexSettings,
): Promise<string> {
  const users = [...indexDexUsers(settings.users ?? []).values()]
  const configuration = {
    issuer,
    storage: storage(settings.sqliteFile),
    web: { http: address },
    oauth2: {
      grantTypes: settings.grantTypes ?? defaultGrantTypes,
      passwordConnector: settings.passwordConnector,
    },
    expiry: { idTokens: `${settings.idTokensMs ?? 86_400_000}ms` },
    signer: {
      type: 'local',
      config: {
        keysRotationPeriod: `${settings.keysRotationMs ?? 21_600_000}ms`,
        algorithm: settings.algorithm ?? 'RS256',
      },
    },
    staticClients: [...indexDexClients(settings.clients ?? []).values()].map(staticClient),
    connectors: (settings.connectors ?? defaultConnectors).map(staticConnector),
    enablePasswordDB: settings.users !== undefined,
    staticPasswords: await Promise.all(users.map(staticPassword)),
  }
  return JSON.stringify(configuration, undefined, 2).replace(yamlLineBreaks, escapeCharacter)
}
