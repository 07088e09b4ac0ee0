import type { Scalar } from 'yaml'

const escapeLengths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 }
const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
}

/**
 * Finds the place in the file of a character of a text, whichever way YAML writes that text: plain, quoted or in a block, on one
 * line or several.
 *
 * A blank is found at the end of the word before it, because YAML makes blanks of line breaks. Returns the start of the scalar where the file does not fit.
 */
export function scalarOffset(scalar: Scalar, file: string, index: number): number {
  const [start = 0, end = 0] = scalar.range ?? []
  if (typeof scalar.value !== 'string') return start
  const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED'
  const isQuoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE'
  const first = isBlock ? file.indexOf('\n', start) + 1 : start + (isQuoted ? 1 : 0)
  const step = scalar.type === 'QUOTE_DOUBLE' ? doubleQuoted : scalar.type === 'QUOTE_SINGLE' ? quoted : plain
  let at = first
  let last = first
  const { value } = scalar
  for (let position = 0; position < value.length; ) {
    const character = value[position] as string
    if (isBlank(character)) {
      if (position === index) return Math.min(at, end)
      position += 1
      continue
    }
    at = skipBlanks(file, at, step)
    const { text, length } = step(file, at)
    if (!value.startsWith(text, position) || at >= end) return start
    if (index >= position && index < position + text.length) return at
    position += text.length
    at += length
    last = at
  }
  return Math.min(last, end)
}

interface Step {
  /** The text that the characters of the file stand for. */
  readonly text: string
  /** The number of characters in the file. */
  readonly length: number
}

const plain = (file: string, at: number): Step => ({ text: file[at] ?? '', length: 1 })

const quoted = (file: string, at: number): Step =>
  file.startsWith("''", at) ? { text: "'", length: 2 } : plain(file, at)

function doubleQuoted(file: string, at: number): Step {
  if (file[at] !== '\\') return plain(file, at)
  const kind = file[at + 1] ?? ''
  const length = escapeLengths[kind]
  if (length === undefined) return { text: escapes[kind] ?? kind, length: 2 }
  return {
    text: String.fromCodePoint(Number.parseInt(file.slice(at + 2, at + length), 16) || 0),
    length,
  }
}

/** Skips blanks, however they are written, and the ends of lines that stand for nothing. */
function skipBlanks(file: string, from: number, step: typeof plain): number {
  let at = from
  for (;;) {
    const { text, length } = step(file, at)
    if (!isBlank(text)) return at
    at += length
  }
}

function isBlank(text: string): boolean {
  return text === ' ' || text === '\n' || text === '\t' || text === '\r'
}
