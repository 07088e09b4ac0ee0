const maxQuoteLength = 80

/** Quotes a value for a message, on one line and cut after 80 characters. Not for values that could be secrets. */
export function quoteValue(text: string): string {
  return JSON.stringify(text.length > maxQuoteLength ? `${text.slice(0, maxQuoteLength)}…` : text)
}
