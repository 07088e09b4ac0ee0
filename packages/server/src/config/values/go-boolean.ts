const trueTexts: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falseTexts: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** Reads a boolean the way Go's `strconv.ParseBool` does; undefined for anything else (`yes`, `on`, `tRUE`). */
export function parseGoBoolean(text: string): boolean | undefined {
  if (trueTexts.has(text)) return true
  return falseTexts.has(text) ? false : undefined
}
