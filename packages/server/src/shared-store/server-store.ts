import { setTimeout as delay } from 'node:timers/promises'
import type { Logger, SharedStoreOptions } from '@broker/core'
import type { RedisTokenStore, StoreInspection } from '@broker/redis-store'
import { storeAddress } from '@broker/redis-store/options'
import type { Config } from '../config/config.ts'
import type { SealingKeyFile } from '../config/values/sealing-key-file.ts'
import { TrustContexts } from '../trust-contexts.ts'
import { storeLogger } from './store-logger.ts'

/** Limit of the wait for the first connection, in milliseconds. */
const maxStartDelayMs = 1_000

/**
 * The shared store of a server. It connects in the background, each time with the password and the certificates of the configuration
 * in effect.
 */
export class ServerStore {
  readonly #store: RedisTokenStore
  readonly #trust = new TrustContexts()
  /** Has the password and the certificates of new connections. */
  #config: Pick<Config, 'sharedStorePassword' | 'sharedStoreCa'>
  #keyFile: SealingKeyFile | undefined

  /** Begins to connect. Does nothing without SHARED_STORE_URL. */
  static async open(config: Config, logger: Logger): Promise<ServerStore | undefined> {
    if (config.sharedStoreUrl === undefined) return undefined
    // Loaded only where it is needed, because its client takes time and memory.
    const { redisTokenStore } = await import('@broker/redis-store')
    return new ServerStore(config, config.sharedStoreUrl, logger, redisTokenStore)
  }

  private constructor(
    config: Config,
    url: string,
    logger: Logger,
    redisTokenStore: typeof import('@broker/redis-store').redisTokenStore,
  ) {
    this.#config = config
    this.#keyFile = config.sharedStoreKeyFile
    this.#store = redisTokenStore({
      url,
      username: config.sharedStoreUsername,
      password: () => this.#config.sharedStorePassword?.secret,
      tls: storeAddress(url).tls ? () => this.#tls() : undefined,
      prefix: config.sharedStorePrefix,
      logger: storeLogger(logger),
    })
  }

  /**
   * Waits for the end of the first attempt to connect, up to a second: the first checks of a new replica would wait for it otherwise,
   * and open the circuit when it takes longer than a call.
   */
  async attempted(): Promise<void> {
    const over = new AbortController()
    const limit = delay(maxStartDelayMs, undefined, { signal: over.signal }).catch(() => {})
    await Promise.race([this.#store.firstAttempt, limit])
    over.abort()
  }

  /** The option of the broker, by a configuration. One without a key file, which needs a restart, has the keys in effect. */
  options({ sharedStoreKeyFile, sharedStoreTimeoutMs }: Config): SharedStoreOptions {
    const { keys = [] } = sharedStoreKeyFile ?? this.#keyFile ?? {}
    return { store: this.#store, keys: keys.map(({ text }) => text), timeoutMs: sharedStoreTimeoutMs }
  }

  /** The id of the key that seals. */
  get sealingKeyId(): string | undefined {
    return this.#keyFile?.keys[0]?.id
  }

  /** Uses the password and the certificates of another configuration for new connections. */
  renew(config: Config): void {
    this.#config = config
    this.#keyFile = config.sharedStoreKeyFile ?? this.#keyFile
  }

  /** Reads facts that no broker needs. */
  inspect(): Promise<StoreInspection> {
    return this.#store.inspect()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #tls() {
    return { secureContext: this.#trust.contextOf(this.#config.sharedStoreCa?.certificates) }
  }
}
