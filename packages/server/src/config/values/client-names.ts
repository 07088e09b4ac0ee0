import { parseNames } from './audience-list.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/**
 * Reads URI and DNS names of client certificates, separated by commas or blanks. A name with a colon is a URI; others are DNS names, in
 * lower case.
 */
export function parseClientNames(text: string): readonly string[] {
  const names = parseNames(text)
  const problems = names.flatMap(name => {
    const problem = problemOf(name)
    return problem === undefined ? [] : [`${quoteValue(name)} ${problem}`]
  })
  if (problems.length > 0) throw new Refusal(...problems)
  return [...new Set(names.map(name => (name.includes(':') ? name : name.toLowerCase())))]
}

function problemOf(name: string): string | undefined {
  if (name.includes('*')) return 'has a wildcard; names are compared exactly, so list each'
  // As OpenSSL prints names: it would be a URI that no certificate has.
  const prefix = /^(?:DNS|URI):/i.exec(name)?.[0]
  return prefix && `has the prefix of OpenSSL; write the name without ${prefix}`
}
