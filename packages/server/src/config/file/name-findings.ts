import { quoteUrl } from '../values/quote-url.ts'
import { quoteValue } from '../values/quote-value.ts'
import type { FileFinding } from './file-finding.ts'
import { valueAt } from './schema-findings.ts'

const uniqueKeys = [
  ['issuers', 'name', quoteValue],
  ['issuers', 'issuer', quoteUrl],
  ['clients', 'name', quoteValue],
] as const

/** Names of clients that mean something else in a rule. */
const reservedNames: Readonly<Record<string, string>> = {
  default: 'is reserved for the client of STATIC_CLIENT_ID',
  caller: "is reserved for the caller's own credentials",
}

/** Finds names that two entries share, and names that are reserved. The names of rules are checked with the rules. */
export function nameFindings(file: unknown): readonly FileFinding[] {
  return [
    ...uniqueKeys.flatMap(([section, key, quote]) => duplicates(file, section, key, quote)),
    ...reserved(file),
  ]
}

function duplicates(
  file: unknown,
  section: string,
  key: string,
  quote: (text: string) => string,
): readonly FileFinding[] {
  const first = new Map<string, number>()
  return entriesOf(file, section).flatMap((entry, index) => {
    const value = valueAt(entry, [key])
    if (typeof value !== 'string') return []
    const earlier = first.get(value)
    if (earlier === undefined) {
      first.set(value, index)
      return []
    }
    const problem = `${quote(value)} is already the ${key} of ${section}[${earlier}]`
    return [{ path: [section, index, key], problem, example: false as const }]
  })
}

function reserved(file: unknown): readonly FileFinding[] {
  return entriesOf(file, 'clients').flatMap((entry, index) => {
    const name = valueAt(entry, ['name'])
    const reason =
      typeof name === 'string' && Object.hasOwn(reservedNames, name) ? reservedNames[name] : undefined
    return reason === undefined
      ? []
      : [{ path: ['clients', index, 'name'], problem: `${quoteValue(String(name))} ${reason}` }]
  })
}

function entriesOf(file: unknown, section: string): readonly unknown[] {
  const list = valueAt(file, [section])
  return Array.isArray(list) ? list : []
}
