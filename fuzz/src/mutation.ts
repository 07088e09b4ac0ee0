import { mutatedJson } from './json-mutation.ts'
import { below, pick } from './random-choice.ts'
import type { Target } from './target.ts'
import { defaultMaxBytes } from './target.ts'

/** Bytes at which parsers change their minds. */
const oddBytes = [0, 1, 9, 10, 13, 32, 34, 37, 44, 46, 47, 58, 61, 92, 123, 125, 127, 128, 0xc0, 0xed, 0xff]

/** Pieces that are odd for every parser. */
const oddPieces = [
  '\u0000',
  '\r\n',
  '\ufeff',
  '\u2028',
  'ſ',
  '\ud83d\ude00',
  '%00',
  '%2e',
  '%zz',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '1e999',
  '9007199254740993',
  '99999999999999999999',
  'Infinity',
]

type Piece = string | Uint8Array

type Mutator = (
  input: Buffer,
  random: () => number,
  pool: readonly Buffer[],
  pieces: readonly Piece[],
) => Buffer

const flippedBit: Mutator = (input, random) => {
  const copy = Buffer.from(input)
  const at = below(random, copy.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8))
  return copy
}

const oddByte: Mutator = (input, random) => {
  const copy = Buffer.from(input)
  copy[below(random, copy.length)] = pick(random, oddBytes)
  return copy
}

const removed: Mutator = (input, random) => {
  const [start, end] = range(random, input.length)
  return Buffer.concat([input.subarray(0, start), input.subarray(end)])
}

const truncated: Mutator = (input, random) => input.subarray(0, below(random, input.length))

const inserted: Mutator = (input, random, _pool, pieces) => {
  const at = below(random, input.length + 1)
  return Buffer.concat([
    input.subarray(0, at),
    Buffer.from(pick(random, pieces) as string),
    input.subarray(at),
  ])
}

const replaced: Mutator = (input, random, _pool, pieces) => {
  const [start, end] = range(random, input.length)
  return Buffer.concat([
    input.subarray(0, start),
    Buffer.from(pick(random, pieces) as string),
    input.subarray(end),
  ])
}

/** A part many times over, which finds work that grows faster than the input. */
const repeated: Mutator = (input, random) => {
  const [start, end] = range(random, input.length)
  const part = input.subarray(start, end)
  const times = 2 ** (1 + below(random, 10))
  return Buffer.concat([input.subarray(0, end), ...new Array<Buffer>(times).fill(part), input.subarray(end)])
}

const spliced: Mutator = (input, random, pool) => {
  const other = pick(random, pool)
  const [start, end] = range(random, other.length)
  const at = below(random, input.length + 1)
  return Buffer.concat([input.subarray(0, at), other.subarray(start, end), input.subarray(at)])
}

const swapped: Mutator = (input, random) => {
  const [start, end] = range(random, input.length)
  const at = below(random, start + 1)
  const [a, b, c, d] = [
    input.subarray(0, at),
    input.subarray(at, start),
    input.subarray(start, end),
    input.subarray(end),
  ]
  return Buffer.concat([a, c, b, d])
}

const mutators = [
  flippedBit,
  oddByte,
  removed,
  truncated,
  inserted,
  inserted,
  replaced,
  repeated,
  spliced,
  swapped,
]

/** Makes inputs for a target: one to four changes to a member of the pool. The same numbers make the same inputs. */
export function mutated(target: Target, pool: readonly Buffer[], random: () => number): Buffer {
  const pieces = [...oddPieces, ...(target.dictionary ?? [])]
  let input = pick(random, pool)
  for (let changes = 1 + below(random, 4); changes > 0; changes--) {
    input =
      (target.isJson && random() < 0.7 ? mutatedJson(input, random, pieces) : undefined) ??
      pick(random, mutators)(input, random, pool, pieces)
  }
  return input.subarray(0, target.maxBytes ?? defaultMaxBytes)
}

/** Short parts as often as long ones. */
function range(random: () => number, length: number): readonly [start: number, end: number] {
  const start = below(random, length)
  const longest = length - start
  const size = Math.ceil(longest ** random())
  return [start, Math.min(length, start + size)]
}
