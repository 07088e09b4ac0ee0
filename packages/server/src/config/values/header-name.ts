import { headerNameProblem } from '@broker/core/options'
import { envoyHeaderPrefixes } from './envoy-header-prefixes.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/** Reads a header name and returns it in lower case. */
export function parseHeaderName(text: string): string {
  const problem = headerNameProblem(text, envoyHeaderPrefixes)
  if (problem !== undefined) throw new Refusal(`${quoteValue(text)} ${problem}`)
  return text.toLowerCase()
}
