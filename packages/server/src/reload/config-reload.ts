import type { Logger } from 'pino'
import type { BrokerMetrics } from '../admin/broker-metrics.ts'
import type { RunningServer } from '../running-server.ts'
import type { ConfigSource } from './config-source.ts'
import type { FileContent } from './file-content.ts'
import { FileLooks, type Looked } from './file-looks.ts'

/** A change needs two looks, so it takes effect within about twice this time. */
const lookIntervalMs = 2_000

export interface ConfigReloadOptions {
  readonly source: ConfigSource
  readonly server: Pick<RunningServer, 'reload'>
  readonly metrics: Pick<BrokerMetrics, 'countReload'>
  readonly logger: Logger
}

/** Puts changes of the configuration's files into effect. */
export class ConfigReload {
  readonly #source: ConfigSource
  readonly #server: Pick<RunningServer, 'reload'>
  readonly #metrics: Pick<BrokerMetrics, 'countReload'>
  readonly #logger: Logger
  readonly #looks = new FileLooks()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #isClosed = false
  /** Ends when the look under way has ended. */
  #idle: Promise<void> = Promise.resolve()

  constructor({ source, server, metrics, logger }: ConfigReloadOptions) {
    this.#source = source
    this.#server = server
    this.#metrics = metrics
    this.#logger = logger
  }

  /** Looks at the files every two seconds from now on. The timer does not keep the process alive. */
  watch(): void {
    // `fs.watch` tells of the first swap of a mounted Kubernetes volume only, and of nothing on many network volumes.
    this.#timer ??= setInterval(() => {
      // A volume that hangs must not pile looks up.
      if (!this.#isLooking) void this.lookNow()
    }, lookIntervalMs).unref()
  }

  /** Looks at the files, and takes a change on which two looks agree: until then, a file may be half written. */
  lookNow(): Promise<void> {
    return this.#afterLook(({ contents, isSettled }) => {
      if (isSettled && this.#source.hasChanged(contents)) this.#reload(contents)
    })
  }

  /** Takes the files as they are, and logs what came of it, even when nothing has changed. */
  reloadNow(): Promise<void> {
    return this.#afterLook(({ contents }) => this.#reload(contents))
  }

  /** Takes no change from now on. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  /** Looks when earlier looks have ended, because each one compares with the one before it. */
  #afterLook(work: (looked: Looked) => void): Promise<void> {
    this.#idle = this.#idle.then(async () => {
      if (this.#isClosed) return
      this.#isLooking = true
      try {
        const looked = await this.#looks.look(this.#source.files)
        if (!this.#isClosed) work(looked)
      } catch (error) {
        this.#reportFaults([String(error)])
      }
      this.#isLooking = false
    })
    return this.#idle
  }

  #reload(contents: ReadonlyMap<string, FileContent>): void {
    const next = this.#source.next(contents)
    const faults = [...next.faults]
    if (next.config !== undefined && next.changed.length > 0) {
      try {
        this.#server.reload(next.config)
        this.#source.accept(next)
        this.#logger.info({ files: next.changed }, 'configuration reloaded')
      } catch (error) {
        faults.push(String(error))
      }
    } else if (faults.length === 0) {
      this.#logger.info('configuration unchanged')
      this.#metrics.countReload('unchanged')
    }
    if (faults.length > 0) this.#reportFaults(faults)
  }

  #reportFaults(faults: readonly string[]): void {
    this.#logger.error({ faults }, 'configuration files have faults; what they replace stays in effect')
    this.#metrics.countReload('failed', faults.length)
  }
}
