/** Writes a value as YAML on one line: `{ name: reports, audiences: [orders] }`. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const text = flowEntries(value as Readonly<Record<string, unknown>>)
    return text === '' ? '{}' : `{ ${text} }`
  }
  if (typeof value !== 'string' || !/^[^\p{Cc}]*$/u.test(value)) return JSON.stringify(value)
  if (isPlain(value)) return value
  return value.includes('"') ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value)
}

/** Writes the entries of a map on one line, without braces around it. */
export function flowEntries(map: Readonly<Record<string, unknown>>): string {
  return Object.entries(map)
    .map(([key, value]) => `${flowText(key)}: ${flowText(value)}`)
    .join(', ')
}

/** Whether a text needs no quotes. Stricter than YAML, so that there is no doubt. */
function isPlain(text: string): boolean {
  return (
    /^[A-Za-z/][\w./ :-]*[\w/]$|^[A-Za-z]$/.test(text) && !text.includes(': ') && !reservedWords.test(text)
  )
}
const reservedWords = /^(?:true|false|null|yes|no|on|off)$/i
