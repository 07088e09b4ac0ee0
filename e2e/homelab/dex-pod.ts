import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevDex, type DexClient, startDevDex } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'

/** The real Dex; empty without one. */
export const dexBinary: string = process.env['DEX_BIN'] ?? ''

/** A running Dex, of whatever kind. */
export type RunningDex = Pick<Awaited<ReturnType<typeof startRealDex>>, 'tokenEndpoint' | 'jwksUri' | 'close'>

export interface DexPodSettings {
  readonly issuer: string
  readonly port: number
  /** The static clients in its configuration. */
  readonly clients: readonly DexClient[]
}

/**
 * The pod of Dex: SQLite on a directory that lasts as long as the pod, and static clients in the configuration. Without a real Dex
 * it is the look-alike, which keeps nothing.
 */
export class DexPod implements AsyncDisposable {
  /** Read at each start. */
  settings: DexPodSettings
  #emptyDir: string | undefined
  #running: RunningDex | undefined
  #lookAlike: DevDex | undefined

  constructor(settings: DexPodSettings) {
    this.settings = settings
  }

  /** Starts the container, on the directory of the container before it if there is one. */
  async start(): Promise<RunningDex> {
    this.#emptyDir ??= await mkdtemp(join(tmpdir(), 'dex-empty-dir-'))
    if (dexBinary === '') {
      this.#lookAlike = await startDevDex({ ...this.settings, algorithm: 'ES256' })
      this.#running = this.#lookAlike
    } else {
      this.#running = await startRealDex(dexBinary, {
        ...this.settings,
        sqliteFile: join(this.#emptyDir, 'dex.db'),
      })
    }
    return this.#running
  }

  /** Gives its clients other secrets. The real Dex reads them at a restart of its container, which keeps the directory. */
  async changeSecrets(clients: DexPodSettings['clients']): Promise<void> {
    this.settings = { ...this.settings, clients }
    if (this.#lookAlike !== undefined) {
      for (const { id, secret = '' } of clients) this.#lookAlike.setClientSecret(id, secret)
      return
    }
    await this.stop()
    await this.start()
  }

  /** Ends the container; the directory stays. */
  async stop(): Promise<void> {
    await this.#running?.close()
    this.#running = undefined
    this.#lookAlike = undefined
  }

  /** Ends the pod, and its directory with it. */
  async delete(): Promise<void> {
    await this.stop()
    if (this.#emptyDir !== undefined) await rm(this.#emptyDir, { recursive: true, force: true })
    this.#emptyDir = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.delete()
  }
}
