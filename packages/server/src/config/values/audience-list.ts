import { audienceProblem } from '@broker/core/options'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/** Reads client ids of services, separated by commas or blanks; duplicates count once. */
export function parseTokenAudiences(text: string): readonly string[] {
  const names = [...new Set(text.split(/[\s,]+/).filter(name => name !== ''))]
  const problems = names.flatMap(name => {
    const problem = audienceProblem(name)
    return problem === undefined ? [] : [`${quoteValue(name)} ${problem}`]
  })
  if (problems.length > 0) throw new Refusal(...problems)
  return names
}

/** Reads the audiences that a caller's JWT may name, separated by commas; at least one. */
export function parseJwtAudiences(text: string): readonly string[] {
  const names = [...new Set(text.split(',').map(name => name.trim()))].filter(name => name !== '')
  // An empty list would accept every audience, the opposite of the intention.
  if (names.length === 0) throw new Refusal(`${quoteValue(text)} names no audience`)
  return names
}

/** Reads names, separated by commas or blanks; at least one, duplicates count once. */
export function parseNames(text: string): readonly string[] {
  const names = [...new Set(text.split(/[\s,]+/).filter(name => name !== ''))]
  // An empty list would require nothing, or allow nothing: neither is the intention.
  if (names.length === 0) throw new Refusal(`${quoteValue(text)} has no name`)
  return names
}
