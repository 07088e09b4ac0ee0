const escapedInJson = /[<>&\u2028\u2029]/g

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** JSON as Go's `encoding/json` writes it: compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(escapedInJson, unicodeEscape)
}

/** JSON as Go's `json.MarshalIndent(value, "", "  ")` writes it. */
export function goIndentedJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(escapedInJson, unicodeEscape)
}

const namedEscapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

function quotedCharacter(character: string): string {
  const named = namedEscapes[character]
  if (named !== undefined) return named
  if (!/[\p{C}\p{Z}]/u.test(character) || character === ' ') return character
  const codePoint = character.codePointAt(0) ?? 0
  if (codePoint < 0x80) return `\\x${codePoint.toString(16).padStart(2, '0')}`
  if (codePoint < 0x10000) return `\\u${codePoint.toString(16).padStart(4, '0')}`
  return `\\U${codePoint.toString(16).padStart(8, '0')}`
}

/** A list of strings as Go's `%q` prints it: `["api.read" "x"]`. */
export function goQuotedList(values: readonly string[]): string {
  const quoted = values.map(value => `"${Array.from(value, quotedCharacter).join('')}"`)
  return `[${quoted.join(' ')}]`
}

const goSpace = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u

/** Words of a text, split where Go's `strings.Fields` splits. */
export function goFields(text: string): string[] {
  return text.split(goSpace).filter(word => word !== '')
}
