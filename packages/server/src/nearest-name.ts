import { distance } from 'fastest-levenshtein'

/** The known name that another one was likely meant to be, whatever its case; `undefined` when none is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lowerCase = name.toLowerCase()
  const [nearest] = known
    .map(each => ({ each, typos: distance(lowerCase, each.toLowerCase()) }))
    .filter(({ each, typos }) => typos <= Math.max(2, each.length / 3))
    .sort((one, other) => one.typos - other.typos)
  return nearest?.each
}

/** `; did you mean "reports"?` for a name that is close to one of these, else an empty string. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}
