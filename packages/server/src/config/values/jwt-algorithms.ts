import { optionRules } from '@broker/core/options'
import { parseNames } from './audience-list.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

const known: readonly string[] = optionRules['gate.algorithms'].values

/** Reads algorithms of JWTs, separated by commas or blanks; at least one, duplicates count once. */
export function parseJwtAlgorithms(text: string): readonly string[] {
  const algorithms = parseNames(text)
  const unknown = algorithms.filter(algorithm => !known.includes(algorithm))
  if (unknown.length === 0) return algorithms
  throw new Refusal(...unknown.map(name => `${quoteValue(name)} is not one of ${known.join(', ')}`))
}
