import { quoteValue } from './quote-value.ts'

/**
 * Quotes a possibly malformed URL for a message, without its query, which could hold a secret. A text with an @ is not
 * quoted at all, because a password may precede it.
 */
export function quoteUrl(text: string): string {
  if (text.includes('@')) return 'the value'
  const query = text.indexOf('?')
  return quoteValue(query < 0 ? text : `${text.slice(0, query)}?...`)
}
