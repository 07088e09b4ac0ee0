import type { SharedStoreOptions } from '@broker/core'
import type { RedisTokenStore } from '@broker/redis-store'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { SealingKeyFile } from '../config/values/sealing-key-file.ts'
import { TrustContexts } from '../trust-contexts.ts'
import { refusalHint } from './refusal-hint.ts'

/** The parts of a configuration that a store depends on. */
export type StoreConfig = Pick<
  Config,
  | 'sharedStoreUrl'
  | 'sharedStoreKeyFile'
  | 'sharedStoreTimeoutMs'
  | 'sharedStorePrefix'
  | 'sharedStoreUsername'
  | 'sharedStorePassword'
  | 'sharedStoreCa'
>

/**
 * The shared store of a server, from its start to its stop. It connects in the background, again and again, each time with the
 * password and the certificates of the configuration in effect.
 */
export class ServerStore {
  readonly #store: RedisTokenStore
  #config: StoreConfig & { readonly sharedStoreKeyFile: SealingKeyFile }

  /** Begins to connect; `undefined` without SHARED_STORE_URL. */
  static async open(config: StoreConfig, logger: Logger): Promise<ServerStore | undefined> {
    const { sharedStoreUrl: url, sharedStoreKeyFile } = config
    if (url === undefined || sharedStoreKeyFile === undefined) return undefined
    // Loaded only where it is needed, because its client takes time and memory.
    const { redisTokenStore } = await import('@broker/redis-store')
    const trust = new TrustContexts()
    const server: ServerStore = new ServerStore(
      { ...config, sharedStoreKeyFile },
      redisTokenStore({
        url,
        username: config.sharedStoreUsername,
        password: () => server.#config.sharedStorePassword?.secret,
        tls: () => ({ secureContext: trust.contextOf(server.#config.sharedStoreCa?.certificates) }),
        prefix: config.sharedStorePrefix,
        logger,
        refusalHint,
      }),
    )
    return server
  }

  private constructor(config: StoreConfig & { readonly sharedStoreKeyFile: SealingKeyFile }, store: RedisTokenStore) {
    this.#config = config
    this.#store = store
  }
}
