import { Cluster } from 'ioredis'
import type { Client } from './create-client.ts'
import type { Script } from './scripts.ts'
import { type StoreFailure, storeFailure } from './store-failure.ts'

// The master may be elsewhere by now, or the password another one.
const codesOfStaleConnection: ReadonlySet<string | undefined> = new Set(['READONLY', 'WRONGPASS', 'NOAUTH'])

/** A client until its end. */
export class OpenClient {
  readonly #client: Client
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<StoreFailure>
  #reason: unknown = new Error('the connection was closed')

  /** The client ends when the signal is aborted. */
  constructor(client: Client, signal: AbortSignal) {
    this.#client = client
    const disconnect = () => client.disconnect()
    signal.addEventListener('abort', disconnect)
    this.ended = new Promise(resolve => {
      client.once('end', () => {
        signal.removeEventListener('abort', disconnect)
        resolve(storeFailure(this.#reason))
      })
    })
    client.on('error', (error: unknown) => this.#note(error))
    client.on('node error', (error: unknown) => this.#note(error))
  }

  /** Connects; rejects with the reason, and then has ended. */
  async connect(): Promise<void> {
    try {
      await this.#client.connect()
      // Each of them would connect at its first command, which may have less time than that takes.
      if (this.#client instanceof Cluster) await connectMasters(this.#client)
    } catch {
      this.#client.disconnect()
      throw await this.ended
    }
  }

  get isReady(): boolean {
    return this.#client.status === 'ready'
  }

  async run({ sha1, lua }: Script, key: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    try {
      return await this.#client.callBuffer('evalsha', sha1, 1, key, ...args)
    } catch (error) {
      // A server that was restarted or promoted does not have the script.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw this.#note(error)
    }
    try {
      return await this.#client.callBuffer('eval', lua, 1, key, ...args)
    } catch (error) {
      throw this.#note(error)
    }
  }

  ask(command: string, args: readonly string[]): Promise<unknown> {
    return this.#client.callBuffer(command, ...args)
  }

  #note(error: unknown): unknown {
    this.#reason = error
    if (codesOfStaleConnection.has(storeFailure(error).code)) this.#client.disconnect()
    return error
  }
}

/** Connects to every master of a cluster; one that is dead does not matter here. */
async function connectMasters(cluster: Cluster): Promise<void> {
  const idle = cluster.nodes('master').filter(({ status }) => status === 'wait')
  await Promise.allSettled(idle.map(node => node.connect()))
}
