/** Visible ASCII, blanks only inside: a receiver strips them at the ends, and reads other characters in different ways. */
const pattern = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** Tells whether a header can carry a text so that every receiver reads exactly this text. */
export function isHeaderValue(text: string): boolean {
  return pattern.test(text)
}
