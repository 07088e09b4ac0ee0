import path from 'node:path'
import { quoteValue } from '../config/values/quote-value.ts'
import { maxFileBytes, type ReadTextFile, readBytes, textOf } from '../config/values/read-text-file.ts'
import { Refusal } from '../config/values/refusal.ts'
import type { FileContent } from './file-content.ts'

/**
 * The files of one reading of the configuration. All of them are taken as they were at one look; a file that was not looked at is
 * read from the disk. A file that cannot be used has the content with which it was last in effect, and is a fault.
 */
export class ConfigReading {
  readonly #contents: ReadonlyMap<string, FileContent>
  readonly #inEffect: ReadonlyMap<string, FileContent>
  readonly #seen = new Map<string, FileContent>()
  readonly #used = new Map<string, FileContent>()
  readonly #faults = new Set<string>()

  constructor(
    contents: ReadonlyMap<string, FileContent> = new Map(),
    inEffect: ReadonlyMap<string, FileContent> = new Map(),
  ) {
    this.#contents = contents
    this.#inEffect = inEffect
  }

  /** Each file that was asked for, by absolute path, as it is now. */
  get seen(): ReadonlyMap<string, FileContent> {
    return this.#seen
  }

  /** Each file that was read, by absolute path, with the content that the configuration is made of. */
  get used(): ReadonlyMap<string, FileContent> {
    return this.#used
  }

  /** Sentences about files whose older content is used. */
  get faults(): readonly string[] {
    return [...this.#faults]
  }

  /** An arrow function, so that it can be passed on. */
  readonly read: ReadTextFile = (name, limit, parse) => {
    const file = path.resolve(name)
    const content = this.#seen.get(file) ?? this.#contents.get(file) ?? contentOnDisk(file)
    const before = this.#inEffect.get(file)
    this.#seen.set(file, content)
    const make = (from: FileContent) => {
      if (from instanceof Refusal) throw from
      const value = parse(textOf(name, from, limit))
      this.#used.set(file, from)
      return value
    }
    try {
      return make(content)
    } catch (error) {
      if (!(error instanceof Refusal) || before === undefined) throw error
      const value = make(before)
      for (const problem of error.problems) this.#faults.add(problem)
      return value
    }
  }
}

function contentOnDisk(file: string): FileContent {
  try {
    return readBytes(file, maxFileBytes)
  } catch (error) {
    return error instanceof Refusal ? error : new Refusal(`${quoteValue(file)} cannot be read`)
  }
}
