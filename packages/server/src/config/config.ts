import type { TokenBrokerOptions } from '@broker/core'
import type { ExchangeDefinition } from '../rules/rule-definition.ts'
import type { Rules } from '../rules/rules.ts'
import type { ClientIdentities } from './file/file-parts.ts'
import type { RuleFailures } from './file/rule-failures.ts'
import type { ServerSettings } from './schema/settings.ts'
import type { TlsParts } from './tls-settings.ts'
import type { CaFile } from './values/ca-file.ts'
import type { ListenAddress } from './values/listen-address.ts'
import type { ProxySettings } from './values/proxy-settings.ts'

/** The address of the admin listener. */
export interface AdminAddress extends ListenAddress {
  /** Whether the operator left the address to the default; a port in use then does not stop the start. */
  readonly isDefault: boolean
}

/** The configuration file in effect. */
export interface LoadedFile {
  /** As in CONFIG_FILE. */
  readonly path: string
  /** Whether it has no entry at all. */
  readonly isEmpty: boolean
  /** The number of issuers. */
  readonly issuers: number
  /** The number of clients. */
  readonly clients: number
  /** `undefined` when the file has none. */
  readonly rules:
    | { readonly count: number; readonly compiled: Rules; readonly failures: RuleFailures }
    | undefined
  /** The token exchanges of its rules. */
  readonly exchanges: readonly ExchangeDefinition[]
  /** The clients that rules name for their own tokens; an exchange is not among them. */
  readonly clientsOfRules: ReadonlySet<string>
  /** Its issuers, clients and rules as YAML, without secrets. */
  readonly description: string
  /** Certificates to trust for an issuer, by its name, in addition to those for all. */
  readonly issuerCertificates: Readonly<Record<string, CaFile>>
  /** The certificates that clients present. */
  readonly clientIdentities: ClientIdentities
}

/** The server's configuration, validated: its own settings, and the options of the broker. Times in whole milliseconds. */
export interface Config extends Omit<ServerSettings, 'admin' | 'grpc'>, TlsParts {
  /** `undefined` when the admin listener is off. */
  readonly admin: AdminAddress | undefined
  /** `undefined` when the gRPC listener is off. */
  readonly grpc: ListenAddress | undefined
  /** `undefined` without CONFIG_FILE. */
  readonly file?: LoadedFile
  /** The proxies of the environment; `undefined` without USE_PROXY_FROM_ENV. */
  readonly proxies?: ProxySettings | undefined
  /** Options for the broker; header names in lower case. */
  readonly broker: TokenBrokerOptions
  /** Sentences for the log about dangerous or likely mistaken settings; none of them contains a secret. */
  readonly warnings: readonly string[]
  /** Sentences for the log about what the environment leaves to a default, or does not change; none of them contains a secret. */
  readonly notes: readonly string[]
}
