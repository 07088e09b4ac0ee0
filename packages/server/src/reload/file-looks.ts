import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type FileContent, isSameContent, readContent } from './file-content.ts'

/** A file as it was at the last look. */
interface Look {
  /** Changes whenever the file does, as far as the file system knows. */
  readonly signature: string
  readonly content: FileContent
  /** Whether the look before found the same content. */
  readonly isSettled: boolean
}

/** Files, by absolute path, as they are now. */
export interface Looked {
  readonly contents: ReadonlyMap<string, FileContent>
  /** The files on which two looks do not agree: a file that is being written in place changes between them. */
  readonly unsettled: readonly string[]
}

/**
 * Looks at files by their paths, so that links are followed anew each time: Kubernetes swaps a mounted volume by its link `..data`,
 * and a watch on the file would stay with the old volume.
 */
export class FileLooks {
  #looks: ReadonlyMap<string, Look> = new Map()
  #underWay: string | undefined

  /** The file that a look is reading just now. */
  get underWay(): string | undefined {
    return this.#underWay
  }

  /** Looks at these files, and forgets others. */
  async look(paths: Iterable<string>): Promise<Looked> {
    const looks = new Map<string, Look>()
    // One after the other: a thousand secrets must not take all threads of the file system at once.
    for (const path of paths) {
      this.#underWay = path
      looks.set(path, await lookAt(path, this.#looks.get(path)))
    }
    this.#underWay = undefined
    this.#looks = looks
    return {
      contents: new Map([...looks].map(([path, { content }]) => [path, content])),
      unsettled: [...looks].flatMap(([path, { isSettled }]) => (isSettled ? [] : [path])),
    }
  }
}

async function lookAt(path: string, before: Look | undefined): Promise<Look> {
  const signature = await signatureOf(path)
  // A second look always reads: a write within the same tick of the file system's clock leaves no other trace.
  if (before?.isSettled && before.signature === signature) return before
  const content = await readContent(path)
  return { signature, content, isSettled: isSameContent(before?.content, content) }
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join()
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
