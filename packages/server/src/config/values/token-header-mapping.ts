import { headerNameProblem } from '@broker/core/options'
import { envoyHeaderPrefixes } from './envoy-header-prefixes.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/** One field of the token response and the header, in lower case, that carries it to the backend. */
export interface TokenHeaderMapping {
  readonly field: string
  readonly header: string
}

/**
 * Reads `json_field:header_name,...`; the header defaults to the field's name, blanks and empty parts are ignored.
 *
 * Two mappings onto one header are refused, because only one of them could arrive.
 */
export function parseTokenHeaderMappings(text: string): readonly TokenHeaderMapping[] {
  const mappings: TokenHeaderMapping[] = []
  const problems: string[] = []
  const taken = new Set<string>()
  for (const part of text.split(',').map(piece => piece.trim())) {
    if (part === '') continue
    const colon = part.indexOf(':')
    const field = (colon < 0 ? part : part.slice(0, colon)).trim()
    const header = colon < 0 ? field : part.slice(colon + 1).trim()
    const lower = header.toLowerCase()
    const problem = headerNameProblem(header, envoyHeaderPrefixes)
    if (field === '') problems.push(`${quoteValue(part)} has no field before the colon`)
    else if (problem !== undefined) problems.push(`${quoteValue(part)}: ${quoteValue(header)} ${problem}`)
    else if (taken.has(lower)) problems.push(`${quoteValue(lower)} is the header of more than one mapping`)
    else mappings.push({ field, header: lower })
    taken.add(lower)
  }
  if (problems.length > 0) throw new Refusal(...problems)
  return mappings
}

/** Writes mappings so that `parseTokenHeaderMappings` reads the same ones back. */
export function formatTokenHeaderMappings(mappings: readonly TokenHeaderMapping[]): string {
  return mappings.map(({ field, header }) => `${field}:${header}`).join(',')
}
