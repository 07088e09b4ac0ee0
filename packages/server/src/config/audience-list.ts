import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

// The characters of a scope token (RFC 6749 section 3.3): each name becomes audience:server:client_id:<name>.
const SCOPE_TOKEN = /^[!#-[\]-~]+$/

/** Reads the client ids of the services a token is for, separated by commas or blanks; repeated ones count once. */
export function parseTokenAudiences(text: string): readonly string[] {
  const names = [...new Set(text.split(/[\s,]+/).filter(name => name !== ''))]
  const problems = names
    .filter(name => !SCOPE_TOKEN.test(name))
    .map(name => `${quoteValue(name)} holds a character that a scope cannot carry`)
  if (problems.length > 0) throw new Refusal(...problems)
  return names
}

/** Reads the audiences of which a caller's JWT needs one, separated by commas; at least one. */
export function parseJwtAudiences(text: string): readonly string[] {
  const names = [...new Set(text.split(',').map(name => name.trim()))].filter(name => name !== '')
  // An empty list would be a gate that lets every audience in, the opposite of what was meant.
  if (names.length === 0) throw new Refusal(`${quoteValue(text)} names no audience`)
  return names
}
