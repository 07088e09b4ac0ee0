import { judged } from './judged.ts'
import type { Target } from './target.ts'

/** Attempts to leave something out. */
const maxAttempts = 400

/** Leaves out what an input does not need to break a target. */
export async function shortened(target: Target, input: Buffer): Promise<Buffer> {
  let shortest = input
  let attempts = 0
  for (
    let size = Math.ceil(input.length / 2);
    size >= 1 && attempts < maxAttempts;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; at < shortest.length && attempts < maxAttempts; attempts++) {
      const without = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)])
      if ((await judged(target, without)) === undefined) at += size
      else shortest = without
    }
  }
  return shortest
}
