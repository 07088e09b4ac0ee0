import { parseNames } from './audience-list.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/**
 * Reads URI and DNS names of client certificates, separated by commas or blanks. A name with a colon is a URI; others are DNS names, in
 * lower case.
 */
export function parseClientNames(text: string): readonly string[] {
  const names = parseNames(text)
  const wildcards = names.filter(name => name.includes('*'))
  if (wildcards.length > 0) {
    throw new Refusal(
      ...wildcards.map(
        name => `${quoteValue(name)} has a wildcard; names are compared exactly, so list each`,
      ),
    )
  }
  return [...new Set(names.map(name => (name.includes(':') ? name : name.toLowerCase())))]
}
