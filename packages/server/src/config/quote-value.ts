const LONGEST_QUOTE = 80

/** Quotes a value for a message: on one line, and cut after 80 characters. Never for values that hold secrets. */
export function quoteValue(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text)
}
