import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml'
import { scalarOffset } from './scalar-offset.ts'

/** Where something is in a file; both count from 1. */
export interface FilePosition {
  readonly line: number
  readonly column: number
}

/** A place in the structure of the file: keys, and indexes of lists. */
export type FilePath = readonly (string | number)[]

/** An error in the YAML. */
export interface YamlFault extends FilePosition {
  readonly problem: string
}

/** A YAML file with the place of each value. */
export interface YamlFile {
  /** `undefined` when the YAML has a fault. */
  readonly value: unknown
  readonly faults: readonly YamlFault[]
  /** The place of a value, or of the character of a text; of the nearest value around it when it is absent. */
  positionOf(path: FilePath, offset?: number): FilePosition
  /** The place of the key of a value; of the value itself in a list. */
  keyPositionOf(path: FilePath): FilePosition
  /** The text of a number, a boolean or a string as it is written, without quotes; `undefined` for anything else. */
  textAt(path: FilePath): string | undefined
}

/** Anchors are rarely needed here; more copies than this are an attack or a mistake. */
const maxAliasCount = 100

const directive = /^\ufeff?%/m

/** Reads one YAML 1.2 document: JSON's kinds of values, no tags beyond them, no merge keys, no key twice. */
export function parseYaml(text: string): YamlFile {
  const lines = new LineCounter()
  const options = {
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  } as const
  const documents = parseAllDocuments(text, options) as Document.Parsed[]
  const [document, second] = documents
  const positionAt = (offset: number): FilePosition => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    // An empty file has no line.
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const errors = documents.flatMap(document => [...document.errors, ...document.warnings])
  const exhausted = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION')
  // Each level of a nesting that is too deep has its own errors.
  const faults: YamlFault[] = (exhausted === undefined ? errors : [exhausted]).map(
    ({ code, message, pos }) => ({ ...positionAt(pos[0]), problem: problems[code] ?? plainProblem(message) }),
  )
  if (second !== undefined) {
    const start = second.range?.[0] ?? 0
    faults.push({ ...positionAt(start), problem: 'a second YAML document begins here; only one is allowed' })
  }
  if (document === undefined) {
    // The parser overlooks directives that no document follows: the file would count as empty.
    if (directive.test(text))
      faults.push({ ...positionAt(0), problem: 'has a directive (%...) and no content' })
    return emptyFile(positionAt(0), faults)
  }
  const { version } = document.directives.yaml
  if (version !== '1.2')
    faults.push({ ...positionAt(0), problem: `is YAML ${version}; only 1.2 is supported` })
  let value: unknown
  if (faults.length === 0) {
    try {
      value = document.toJS({ maxAliasCount })
    } catch (error) {
      const [first, unresolved] = aliasesIn(document)
      faults.push(
        (error as Error).message.startsWith('Excessive') || unresolved === undefined
          ? {
              ...positionAt(startOf(first ?? null)),
              problem: `has more than ${maxAliasCount} values by aliases`,
            }
          : { ...positionAt(startOf(unresolved)), problem: 'an alias (*...) has no anchor (&...) before it' },
      )
    }
  }
  const walk = (path: FilePath) => walkTo(document, path)
  return {
    value,
    faults,
    positionOf: (path, offset) => {
      const { node, pair, isFound } = walk(path)
      if (offset !== undefined && isFound && isScalar(node)) {
        return positionAt(scalarOffset(node, text, offset))
      }
      const isEmpty = isScalar(node) && node.value === null && node.source === ''
      return positionAt(startOf(isEmpty && pair ? (pair.key as Node) : node))
    },
    keyPositionOf: path => {
      const { node, pair, isFound } = walk(path)
      return positionAt(startOf(isFound && pair ? (pair.key as Node) : node))
    },
    textAt: path => {
      const { node, isFound } = walk(path)
      if (!isFound || !isScalar(node) || node.value === null) return undefined
      return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
    },
  }
}

const problems: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the key appears more than once',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  NON_STRING_KEY: 'the key is not text',
  TAG_RESOLVE_FAILED: 'has a YAML tag (!...); tags are not supported',
}

function emptyFile(start: FilePosition, faults: readonly YamlFault[]): YamlFile {
  return {
    value: undefined,
    faults,
    positionOf: () => start,
    keyPositionOf: () => start,
    textAt: () => undefined,
  }
}

interface Found {
  readonly node: Node | null
  /** The pair whose value the node is; `undefined` in a list. */
  readonly pair: Pair | undefined
  readonly isFound: boolean
}

/** Follows a path as far as it goes. */
function walkTo(document: Document.Parsed, path: FilePath): Found {
  let node: Node | null = document.contents
  let pair: Pair | undefined
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? node
    if (isMap(node)) {
      const found: Pair | undefined = node.items.find(item => isScalar(item.key) && item.key.value === step)
      if (found === undefined) return { node, pair, isFound: false }
      pair = found
      node = (found.value as Node | null) ?? (found.key as Node)
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      pair = undefined
      node = node.items[step] as Node
    } else return { node, pair, isFound: false }
  }
  if (isAlias(node)) node = node.resolve(document) ?? node
  return { node, pair, isFound: true }
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0
}

/** The first alias, and the first one without an anchor. */
function aliasesIn(document: Document.Parsed): readonly [Alias | undefined, Alias | undefined] {
  const aliases: Alias[] = []
  visit(document, { Alias: (_, alias) => void aliases.push(alias) })
  return [aliases[0], aliases.find(alias => alias.resolve(document) === undefined)]
}

/** The parser quotes the file behind a colon, where a secret could be. */
function plainProblem(message: string): string {
  const [sentence = ''] = message.split(/: (?=\S)/)
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, '')
}
