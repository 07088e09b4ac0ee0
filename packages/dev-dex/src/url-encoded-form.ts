/** Fields of an `application/x-www-form-urlencoded` text; of a repeated field, the first value counts. */
export type FormFields = ReadonlyMap<string, string>

/**
 * Decodes `%xx` and `+` as Go's `url.QueryUnescape` does, or gives `undefined` for a bad percent sign.
 *
 * The text holds one character per byte (latin1), and the result is read as UTF-8.
 */
export function queryUnescape(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/**
 * Parses a form, or gives `undefined` when Go's `url.ParseQuery` would report an error: a bad percent sign
 * or an unencoded semicolon anywhere. The text holds one character per byte (latin1).
 */
export function parseUrlEncodedForm(text: string): FormFields | undefined {
  const fields = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    if (pair.includes(';')) return undefined
    const equals = pair.indexOf('=')
    const name = queryUnescape(equals === -1 ? pair : pair.slice(0, equals))
    const value = queryUnescape(equals === -1 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined) return undefined
    if (!fields.has(name)) fields.set(name, value)
  }
  return fields
}
