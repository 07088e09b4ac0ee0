import assert from 'node:assert/strict'
import type { Target } from '../src/target.ts'
import { faultyParser } from './faulty-parser.ts'

const base = { seeds: ['{"a":1,"b":[2,3]}'], sources: ['fuzz/test/faulty-parser.ts'] }
const kept: Buffer[] = []

/** Targets with a fault each, which the runner must find. */
export const targets: readonly Target[] = [
  {
    ...base,
    name: 'deep-branch',
    dictionary: ['lock', 'open', 'go'],
    judge: input => faultyParser(input.toString('latin1')),
  },
  { ...base, name: 'odd-json', isJson: true, judge: input => void String(JSON.parse(asJson(input)).a) },
  {
    ...base,
    name: 'slow',
    judge(input) {
      const end = performance.now() + (input.length > 1_000 ? 300 : 0)
      while (performance.now() < end);
    },
  },
  {
    ...base,
    name: 'endless',
    judge(input) {
      while (input.includes(0));
    },
  },
  {
    ...base,
    name: 'greedy',
    judge(input) {
      const texts: unknown[] = []
      while (input.includes(0)) texts.push({ text: `${texts.length}` })
    },
  },
  { ...base, name: 'sound', judge: input => assert.ok(kept.push(input) > 0 && input.length < 10_000) },
]

function asJson(input: Buffer): string {
  try {
    JSON.parse(input.toString())
    return input.toString()
  } catch {
    return '{}'
  }
}
