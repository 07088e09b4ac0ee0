import type { TokenBrokerOptions } from '@broker/core'
import type { ServerSettings } from './schema/settings.ts'
import type { ListenAddress } from './values/listen-address.ts'

/** Where the admin listener binds. */
export interface AdminAddress extends ListenAddress {
  /** True when the operator chose no address: then a busy port is no reason to stop. */
  readonly isDefault: boolean
}

/** The server's configuration, validated: its own settings, and the options of the broker. Times in whole milliseconds. */
export interface Config extends Omit<ServerSettings, 'admin'> {
  /** Undefined when the admin listener is turned off. */
  readonly admin: AdminAddress | undefined
  /** The options that the variables set; header names in lower case. */
  readonly broker: TokenBrokerOptions
  /** What is allowed but dangerous, or likely a mistake: sentences for the log, none of which holds a secret. */
  readonly warnings: readonly string[]
}
