import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Target } from './target.ts'

const folder = path.join(import.meta.dirname, '../corpus')

/** An input that once broke a target, by its file. */
export interface CorpusFile {
  readonly file: string
  readonly input: Buffer
}

/** The inputs that once broke a target. */
export function corpusOf({ name }: Target): readonly CorpusFile[] {
  const own = path.join(folder, name)
  if (!existsSync(own)) return []
  return readdirSync(own)
    .toSorted()
    .map(file => ({ file, input: readFileSync(path.join(own, file)) }))
}

/** Keeps an input for good, and returns the path of its file. */
export function keep({ name }: Target, input: Buffer): string {
  const own = path.join(folder, name)
  mkdirSync(own, { recursive: true })
  const file = path.join(own, createHash('sha256').update(input).digest('hex').slice(0, 12))
  writeFileSync(file, input)
  return file
}
