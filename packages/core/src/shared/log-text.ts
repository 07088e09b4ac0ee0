/** In UTF-16 code units. */
const maxLength = 100
/** Control characters, line separators, invisible characters such as direction marks, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** Not as a literal: bundlers write the character itself, and V8 keeps and parses a file with one in two bytes per character. */
const replacementCharacter = String.fromCharCode(0xfffd)

/**
 * Makes a text from outside fit for a log line: at most 100 characters, `...` after a cut, and no character that a terminal
 * interprets.
 */
export function logText(text: string): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text
  return cut.replace(unprintable, replacementCharacter)
}
