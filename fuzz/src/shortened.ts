/** Leaves out what an input does not need to break its target, as long as there is time. */
export async function shortened(
  input: Buffer,
  isBroken: (input: Buffer) => Promise<boolean>,
  maxMs = 5_000,
): Promise<Buffer> {
  const endsAt = performance.now() + maxMs
  let shortest = input
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < shortest.length; ) {
      if (performance.now() > endsAt) return shortest
      const without = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)])
      if (await isBroken(without)) shortest = without
      else at += size
    }
  }
  return shortest
}
