/** A part of a secret with as many characters hides the message of a function. */
const maxShownPart = 12

/** Tells whether a text has a part of a secret: a message can be cut, and a key has several lines. */
export function repeatsSecret(text: string, secret: string): boolean {
  if (secret.length <= maxShownPart) return text.includes(secret)
  for (let from = 0; from + maxShownPart <= text.length; from++) {
    if (secret.includes(text.slice(from, from + maxShownPart))) return true
  }
  return false
}
