import { quoteValue } from './quote-value.ts'

/**
 * Quotes what should be a URL, for a message: without its query, in which a secret could be. Where there is an @ nothing
 * is quoted, because a password may be in front of it, however the rest is mangled.
 */
export function quoteUrl(text: string): string {
  if (text.includes('@')) return 'the value'
  const query = text.indexOf('?')
  return quoteValue(query < 0 ? text : `${text.slice(0, query)}?...`)
}
