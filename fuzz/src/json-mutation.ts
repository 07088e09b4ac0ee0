import { below, pick } from './random-choice.ts'

type Container = Record<string, unknown> | unknown[]

/** Values that JSON can have where a reader expects another: also objects that cannot become text or a number. */
const oddValues: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => '',
  () => 0,
  () => -1,
  () => 1e308,
  () => 2 ** 53,
  () => 0.1,
  () => [],
  () => [[]],
  () => ({}),
  () => ({ toString: 1, valueOf: null }),
  () => ({ length: 3, 0: 'x' }),
  () => JSON.parse('{"__proto__":{"polluted":true}}'),
  () => 'x'.repeat(5_000),
  () => '\ud800',
  () => 'a\u0000b\r\nc',
  () => JSON.parse('['.repeat(100) + ']'.repeat(100)),
]

/** Replaces, removes, copies or moves a value in a JSON text; `undefined` for a text that is not a JSON object or list. */
export function mutatedJson(
  input: Buffer,
  random: () => number,
  pieces: readonly (string | Uint8Array)[],
): Buffer | undefined {
  let root: unknown
  try {
    root = JSON.parse(input.toString())
  } catch {
    return undefined
  }
  const places = [...placesIn(root)]
  if (places.length === 0) return undefined
  const [container, key] = pick(random, places)
  const [otherContainer, otherKey] = pick(random, places)
  const members = container as Record<string | number, unknown>
  switch (below(random, 6)) {
    case 0:
      delete members[key]
      break
    case 1:
      members[key] = (otherContainer as Record<string | number, unknown>)[otherKey]
      if (isCyclic(root)) return undefined
      break
    case 2:
      if (Array.isArray(container)) container.push(members[key])
      else members[String(pick(random, pieces))] = members[key]
      break
    case 3:
      members[key] = String(pick(random, pieces))
      break
    default:
      members[key] = pick(random, oddValues)()
  }
  return Buffer.from(JSON.stringify(root))
}

/** Every member of every list and object. */
function* placesIn(value: unknown): Generator<readonly [Container, string | number]> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    yield [value as Container, key]
    yield* placesIn(member)
  }
}

function isCyclic(value: unknown): boolean {
  try {
    JSON.stringify(value)
    return false
  } catch {
    return true
  }
}
