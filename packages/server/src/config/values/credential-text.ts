import { Refusal } from './refusal.ts'

/**
 * Checks a credential for Dex: at most `limit` characters, any Unicode, no control characters.
 *
 * The messages never quote the text, because it may be the secret.
 */
export function parseCredentialText(text: string, limit: number): string {
  const problems: string[] = []
  if (text.length > limit) problems.push(`has ${text.length} characters, more than ${limit}`)
  if (/[\r\n]$/.test(text)) problems.push('ends with a line break')
  else if (/\p{Cc}/u.test(text)) problems.push('contains a control character')
  if (!text.isWellFormed()) problems.push('is not well-formed Unicode')
  if (problems.length > 0) throw new Refusal(...problems)
  return text
}

/** Checks a scope: at most `limit` characters, all of them printable ASCII (%x20-7E). */
export function parseScopeText(text: string, limit: number): string {
  const problems: string[] = []
  if (text.length > limit) problems.push(`has ${text.length} characters, more than ${limit}`)
  if (!/^[ -~]*$/.test(text)) problems.push('contains a character that is not printable ASCII')
  if (problems.length > 0) throw new Refusal(...problems)
  return text
}
