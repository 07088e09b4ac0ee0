/**
 * Returns a function that derives a value from a text, and remembers the latest one: where nearly all calls have the same text. Not for
 * secrets, which would stay in memory.
 */
export function rememberLatest<Value>(derive: (text: string) => Value): (text: string) => Value {
  let latest: { readonly text: string; readonly value: Value } | undefined
  return text => {
    if (latest?.text !== text) latest = { text, value: derive(text) }
    return latest.value
  }
}
