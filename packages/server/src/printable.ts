/** Replaces what drives a terminal: a server or a JWT can hold control characters, and characters that reorder or hide a line. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
}
