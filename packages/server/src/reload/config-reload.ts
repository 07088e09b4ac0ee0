import type { Logger } from 'pino'
import type { BrokerMetrics } from '../admin/broker-metrics.ts'
import { quoteValue } from '../config/values/quote-value.ts'
import type { RunningServer } from '../running-server.ts'
import type { ConfigSource } from './config-source.ts'
import type { FileContent } from './file-content.ts'
import { FileLooks, type Looked } from './file-looks.ts'

/** A change needs two looks, so it takes effect within about twice this time. */
const lookIntervalMs = 2_000

/** After so many looks, ten seconds, a file that keeps changing or whose read does not end is a fault. */
const patientLooks = 5

export interface ConfigReloadOptions {
  readonly source: ConfigSource
  readonly server: Pick<RunningServer, 'reload'>
  readonly metrics: Pick<BrokerMetrics, 'countReload'>
  readonly logger: Logger
  /** Default: the files of the disk. */
  readonly looks?: Pick<FileLooks, 'look' | 'underWay'>
}

/** Puts changes of the configuration's files into effect. */
export class ConfigReload {
  readonly #source: ConfigSource
  readonly #server: Pick<RunningServer, 'reload'>
  readonly #metrics: Pick<BrokerMetrics, 'countReload'>
  readonly #logger: Logger
  readonly #looks: Pick<FileLooks, 'look' | 'underWay'>
  /** The looks in a row that found a file that is changing. */
  #unsettledLooks = 0
  /** Whether a file keeps changing or cannot be read to its end, which is a fault until it ends. */
  #isStuck = false
  /** The looks in a row that were left out, because an earlier one has not ended. */
  #missedLooks = 0
  #timer: NodeJS.Timeout | undefined
  /** Looks that have not ended. */
  #lookCount = 0
  #isClosed = false
  /** Ends when the look under way has ended. */
  #idle: Promise<void> = Promise.resolve()

  constructor({ source, server, metrics, logger, looks = new FileLooks() }: ConfigReloadOptions) {
    this.#looks = looks
    this.#source = source
    this.#server = server
    this.#metrics = metrics
    this.#logger = logger
  }

  /** Looks at the files every two seconds from now on. The timer does not keep the process alive. */
  watch(): void {
    // `fs.watch` tells of the first swap of a mounted Kubernetes volume only, and of nothing on many network volumes.
    this.#timer ??= setInterval(() => void this.lookInTurn(), lookIntervalMs).unref()
  }

  /** Looks at the files like {@link lookNow}, unless an earlier look has not ended: a volume that hangs must not pile looks up. */
  lookInTurn(): Promise<void> {
    if (this.#lookCount === 0) {
      this.#missedLooks = 0
      return this.lookNow()
    }
    this.#missedLooks++
    if (this.#missedLooks === patientLooks) {
      this.#isStuck = true
      const file = quoteValue(this.#looks.underWay ?? '')
      this.#reportFaults([`${file} is still being read; no change of any file takes effect until that ends`])
    }
    return Promise.resolve()
  }

  /**
   * Looks at the files, and takes a change on which two looks agree: until then, a file may be half written. All files wait for
   * one that is changing, because they may belong together, but not for ever.
   */
  lookNow(): Promise<void> {
    return this.#afterLook(({ contents, unsettled }) => {
      this.#unsettledLooks = unsettled.length === 0 ? 0 : this.#unsettledLooks + 1
      if (unsettled.length > 0 && this.#unsettledLooks < patientLooks) return
      const wasStuck = this.#isStuck
      this.#isStuck = unsettled.length > 0
      const settled = this.#source.withoutChanges(contents, unsettled)
      if (wasStuck === this.#isStuck && !this.#source.hasChanged(settled)) return
      this.#reload(
        settled,
        unsettled.map(file => `${quoteValue(file)} keeps changing; it is used when it stops`),
      )
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
    this.#lookCount++
    this.#idle = this.#idle.then(async () => {
      try {
        if (this.#isClosed) return
        const looked = await this.#looks.look(this.#source.files)
        if (!this.#isClosed) work(looked)
      } catch (error) {
        this.#reportFaults([String(error)])
      } finally {
        this.#lookCount--
      }
    })
    return this.#idle
  }

  #reload(contents: ReadonlyMap<string, FileContent>, others: readonly string[] = []): void {
    const next = this.#source.next(contents)
    const faults = [...next.faults, ...others]
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
    const hint = 'correct the files; they are read again when they change'
    this.#logger.error(
      { faults, hint },
      'configuration files have faults; their last good content stays in effect',
    )
    this.#metrics.countReload('failed', faults.length)
  }
}
