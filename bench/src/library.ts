// The cost of the library inside one process: single calls, memory of cached tokens, pauses. Needs --expose-gc.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { LibraryResult } from './bench-result.ts'
import { cacheFigures } from './library/cache-figures.ts'
import { callFigures } from './library/calls.ts'

const { values } = parseArgs({ options: { out: { type: 'string' } } })

// First, while the heap is small and the other benchmarks have left nothing in it.
const cache = await cacheFigures(100_000, 5)
console.log(
  `${cache.tokens} cached tokens of ${cache.tokenCharacters.toFixed(0)} characters: ` +
    `${cache.overheadBytes.toFixed(0)} bytes each beside the token, ` +
    `${cache.overheadBytesInUse.toFixed(0)} when it has been handed out`,
)
for (const [name, { wallMs, gcMs, ownMs, longTurns }] of Object.entries(cache.longestTurn)) {
  console.log(
    `longest turn of the event loop, ${name}: ${wallMs.toFixed(1)} ms, of which ${gcMs.toFixed(1)} ms garbage collection; ` +
      `without it ${ownMs.toFixed(1)} ms; ${longTurns} turns over 5 ms`,
  )
}
const calls = await callFigures()
const result: LibraryResult = { calls, cache }
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, undefined, 2)}\n`)
