import { describe, expect, test } from 'vitest'
import { corpusOf } from '../src/corpus.ts'
import { judged } from '../src/judged.ts'
import { targets } from '../src/targets.ts'

describe.each(targets)('$name', target => {
  test('holds for each of its seeds', async () => {
    for (const seed of target.seeds) expect(await judged(target, Buffer.from(seed as string))).toBeUndefined()
  })

  test('holds for each input that once broke it', async () => {
    for (const { file, input } of corpusOf(target)) expect(await judged(target, input), file).toBeUndefined()
  })
})
