import { distance } from 'fastest-levenshtein'

/** Two letters that are swapped count as two. */
const maxTypos = 2
/** Of three words, two are the same. */
const similarEnough = 2 / 3

interface Candidate {
  readonly name: string
  readonly typos: number
  /** The share of equal words, from 0 to 1. */
  readonly similarity: number
  readonly hasSameStart: boolean
}

/** The known name that another one was likely meant to be, whatever its case; `undefined` when none is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const { name: nearest = '', typos, similarity } = ranked(name, known)[0] ?? {}
  if (typos === undefined || similarity === undefined) return undefined
  return typos <= Math.max(maxTypos, nearest.length / 3) || similarity >= similarEnough ? nearest : undefined
}

/** The most similar of the known names, however far it is; `undefined` without any. */
export function mostSimilarName(name: string, known: readonly string[]): string | undefined {
  return ranked(name, known)[0]?.name
}

/** Whether a name is a known one with a typo or two. */
export function isMisspelt(name: string, known: readonly string[]): boolean {
  return known.some(each => distance(name.toLowerCase(), each.toLowerCase()) <= maxTypos)
}

/** `; did you mean "reports"?` for a name that is close to one of these, else an empty string. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}

/** Typos first, then whole words: ADMIN_LISTEN_ADDR is ADMIN_ADDR with one word more, and not GRPC_LISTEN_ADDR with another. */
function ranked(name: string, known: readonly string[]): readonly Candidate[] {
  const words = wordsOf(name)
  const candidates = known.map(each => {
    const others = wordsOf(each)
    const shared = others.filter(word => words.includes(word)).length
    return {
      name: each,
      typos: distance(name.toLowerCase(), each.toLowerCase()),
      similarity: shared / new Set([...words, ...others]).size,
      hasSameStart: others[0] === words[0],
    }
  })
  return candidates.sort((one, other) => rankOf(one) - rankOf(other) || one.typos - other.typos)
}

/** The smaller, the nearer. */
function rankOf({ typos, similarity, hasSameStart }: Candidate): number {
  if (typos <= maxTypos) return typos - 10
  return -similarity - (hasSameStart ? 0.01 : 0)
}

function wordsOf(name: string): readonly string[] {
  // In the singular.
  return name
    .toLowerCase()
    .split(/[_.-]/)
    .map(word => word.replace(/s$/, ''))
}
