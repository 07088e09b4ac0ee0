import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@broker/core'
import { type ClientSettings, type Credentials, createClient } from './create-client.ts'
import { OpenClient } from './open-client.ts'
import type { Password } from './redis-token-store-options.ts'
import type { Script } from './scripts.ts'
import { StoreFailure, storeFailure } from './store-failure.ts'
import { isStoreRefusal, storeHint } from './store-hint.ts'

export interface ConnectionSettings extends ClientSettings {
  readonly own: ConfiguredCredentials
  readonly sentinel: ConfiguredCredentials
  readonly logger: Logger
}

export interface ConfiguredCredentials {
  readonly username?: string | undefined
  readonly password?: Password | undefined
}

const firstRetryMs = 50
const longestRetryMs = 2_000

/** Keeps a connection to the store: a new client, with the password of its time, whenever the last one has ended. */
export class Connection {
  readonly #settings: ConnectionSettings
  readonly #closing = new AbortController()
  readonly #firstAttempt = Promise.withResolvers<void>()
  /** Resolves when the first attempt to connect has ended, in whatever way. */
  readonly firstAttempt: Promise<void> = this.#firstAttempt.promise
  /** Connecting, connected, or ended. */
  #client: OpenClient | undefined
  #failure = new StoreFailure('not connected')
  /** Failures since the last connection, so that a lasting one is logged once. */
  readonly #logged = new Set<string>()

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
    void this.#keepConnected()
  }

  /** Runs a script. Waits for the end of the first attempt to connect; later, rejects at once while there is no connection. */
  async run(script: Script, key: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    try {
      return await (await this.#ready()).run(script, key, args)
    } catch (error) {
      const failure = storeFailure(error)
      if (isStoreRefusal(failure.code)) this.#log(failure)
      throw failure
    }
  }

  /** Sends a command that the rights of a broker do not include, in a cluster to any node. A refusal is expected, and not logged. */
  async ask(command: string, ...args: readonly string[]): Promise<unknown> {
    try {
      return await (await this.#ready()).ask(command, args)
    } catch (error) {
      throw storeFailure(error)
    }
  }

  /** Ends the connection; whatever is under way or comes later rejects. */
  async close(): Promise<void> {
    this.#failure = new StoreFailure('closed')
    this.#closing.abort()
    this.#firstAttempt.resolve()
    await this.#client?.ended
  }

  async #ready(): Promise<OpenClient> {
    await this.firstAttempt
    if (!this.#client?.isReady) throw this.#failure
    return this.#client
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const client = await this.#connect()
        failures = 0
        this.#firstAttempt.resolve()
        this.#logged.clear()
        this.#settings.logger.info({}, 'connected to the shared store')
        throw await client.ended
      } catch (error) {
        if (signal.aborted) return
        this.#failure = storeFailure(error)
        this.#log(this.#failure)
      }
      this.#firstAttempt.resolve()
      await delay(retryDelay(failures), undefined, { signal }).catch(() => {})
    }
  }

  async #connect(): Promise<OpenClient> {
    const { own, sentinel } = this.#settings
    const credentials = await Promise.all([currentCredentials(own), currentCredentials(sentinel)])
    this.#closing.signal.throwIfAborted()
    this.#client = new OpenClient(createClient(this.#settings, ...credentials), this.#closing.signal)
    await this.#client.connect()
    return this.#client
  }

  #log(failure: StoreFailure): void {
    const { code, message: why } = failure
    if (this.#logged.has(code ?? why)) return
    this.#logged.add(code ?? why)
    const { logger } = this.#settings
    const hint = storeHint(code)
    if (isStoreRefusal(code)) logger.error({ why, cause: code, hint }, 'shared store refused the broker')
    else logger.warn({ why, cause: code, hint }, 'connection to the shared store failed')
  }
}

async function currentCredentials({ username, password }: ConfiguredCredentials): Promise<Credentials> {
  return { username, password: typeof password === 'function' ? await password() : password }
}

/** Doubles from 50 ms to 2 s, of which up to a half is random, so that replicas do not return at the same moment. */
function retryDelay(failures: number): number {
  const longest = Math.min(firstRetryMs * 2 ** failures, longestRetryMs)
  return longest * (1 - Math.random() / 2)
}
