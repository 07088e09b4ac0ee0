import { Refusal } from './refusal.ts'

/**
 * Checks text that goes to Dex as a credential: at most `limit` characters, any Unicode, no control characters.
 *
 * The problems never quote the text, because it may be the secret.
 */
export function parseCredentialText(text: string, limit: number): string {
  const problems: string[] = []
  if (text.length > limit) problems.push(`has ${text.length} characters, more than ${limit}`)
  if (/[\r\n]$/.test(text)) problems.push('ends with a line break')
  else if (/\p{Cc}/u.test(text)) problems.push('holds a control character')
  if (!text.isWellFormed()) problems.push('is not well-formed Unicode')
  if (problems.length > 0) throw new Refusal(...problems)
  return text
}

/** Checks a scope: at most `limit` characters, all of them printable ASCII (%x20-7E). */
export function parseScopeText(text: string, limit: number): string {
  const problems: string[] = []
  if (text.length > limit) problems.push(`has ${text.length} characters, more than ${limit}`)
  if (!/^[ -~]*$/.test(text)) problems.push('holds a character that is not printable ASCII')
  if (problems.length > 0) throw new Refusal(...problems)
  return text
}
