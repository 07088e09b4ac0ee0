const slots = 256
/** More than the names of headers and of hosts have. */
const maxLength = 64

/**
 * Texts that most messages repeat, so that each is decoded once: to compare a few bytes takes a fifth of a call into Node's decoder.
 * Remembers at most 256; two texts of the same slot replace each other. Not for secrets, which would stay in memory.
 */
export class RepeatedText {
  readonly #texts: string[] = new Array<string>(slots).fill('')

  /** Returns these bytes as Latin-1. */
  decode(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length === 0) return ''
    if (length > maxLength) return bytes.toString('latin1', start, end)
    const slot = (length * 37 + (bytes[start] as number) * 11 + (bytes[end - 1] as number)) % slots
    const known = this.#texts[slot] as string
    if (isAt(bytes, start, known, length)) return known
    const text = bytes.toString('latin1', start, end)
    this.#texts[slot] = text
    return text
  }
}

function isAt(bytes: Buffer, start: number, text: string, length: number): boolean {
  if (text.length !== length) return false
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false
  }
  return true
}
