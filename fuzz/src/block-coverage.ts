import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The top of the repository. */
export const repository: string = path.resolve(import.meta.dirname, '../..')

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

/** How much of a file ran. */
export interface FileCoverage {
  /** From the top of the repository. */
  readonly file: string
  readonly blocks: number
  readonly reachedBlocks: number
  /** The numbers of the lines that begin a block that never ran. */
  readonly missedLines: readonly number[]
}

/** A part of a file that runs or is passed over as a whole. */
interface Block {
  readonly url: string
  readonly start: number
  readonly end: number
}

interface Taken {
  readonly ran: readonly Block[]
  readonly missed: readonly Block[]
}

/** V8's own block coverage of some files in this thread. It guides the mutations, and shows how far they came. */
export class BlockCoverage implements AsyncDisposable {
  readonly #session: Session
  readonly #urls: ReadonlySet<string>
  /** All blocks that V8 has told apart, and those of them that never ran. */
  readonly #known = new Map<string, Block>()
  readonly #missed = new Map<string, Block>()

  private constructor(session: Session, sources: readonly string[]) {
    this.#session = session
    this.#urls = new Set(sources.map(source => pathToFileURL(path.join(repository, source)).href))
  }

  /** Starts before the files are loaded: V8 does not tell of a function that was never called, unless its module ran meanwhile. */
  static async start(sources: readonly string[]): Promise<BlockCoverage> {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return new BlockCoverage(session, sources)
  }

  /** The blocks that ran since the last call and never before. */
  async newBlocks(): Promise<ReadonlySet<string>> {
    const taken = await this.#take()
    const isFirst = this.#known.size === 0
    const reached = new Set([...this.#missed].filter(([, block]) => didRun(block, taken)).map(([key]) => key))
    const opened = [...reached].map(key => this.#missed.get(key) as Block)
    for (const key of reached) this.#missed.delete(key)
    for (const block of taken.ran) this.#known.set(keyOf(block), block)
    for (const block of taken.missed) {
      // Inside a block that just ran for the first time; others are told apart by the counts of one call only.
      if (!isFirst && !opened.some(outer => contains(outer, block))) continue
      this.#known.set(keyOf(block), block)
      this.#missed.set(keyOf(block), block)
    }
    return reached
  }

  /** Which of these blocks ran since the last call. */
  async ranOf(keys: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const taken = await this.#take()
    return new Set([...keys].filter(key => didRun(this.#known.get(key) as Block, taken)))
  }

  /** How much of each file ever ran. */
  report(): readonly FileCoverage[] {
    return [...this.#urls].toSorted().map(url => {
      const file = fileURLToPath(url)
      const text = readFileSync(file, 'utf8')
      const blocks = [...this.#known.values()].filter(block => block.url === url)
      const missed = [...this.#missed.values()].filter(block => block.url === url)
      const lines = missed.map(({ start }) => text.slice(0, start).split('\n').length)
      return {
        file: path.relative(repository, file),
        blocks: blocks.length,
        reachedBlocks: blocks.length - missed.length,
        missedLines: [...new Set(lines)].toSorted((a, b) => a - b),
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  async #take(): Promise<Taken> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    const scripts = (result as readonly ScriptCoverage[]).filter(({ url }) => this.#urls.has(url))
    const ranges = scripts.flatMap(({ url, functions }) =>
      functions.flatMap(each =>
        each.ranges.map(({ startOffset, endOffset, count }) => ({
          url,
          start: startOffset,
          end: endOffset,
          count,
        })),
      ),
    )
    return { ran: ranges.filter(({ count }) => count > 0), missed: ranges.filter(({ count }) => count === 0) }
  }
}

function keyOf({ url, start, end }: Block): string {
  return `${url} ${start} ${end}`
}

function contains(outer: Block, inner: Block): boolean {
  return outer.url === inner.url && outer.start <= inner.start && outer.end >= inner.end
}

/** V8 merges a block with the one around it when both have the same count: only what is in no missed block ran. */
function didRun(block: Block, { ran, missed }: Taken): boolean {
  return ran.some(outer => contains(outer, block)) && !missed.some(outer => contains(outer, block))
}
