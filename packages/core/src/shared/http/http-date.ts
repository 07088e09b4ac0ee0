/** The last one that was read: answers of the same second name the same one, and reading takes a microsecond. */
let latest: { readonly text: string; readonly time: number } | undefined

/** Reads the `Date` of an answer (RFC 9110 section 5.6.7): milliseconds since the Unix epoch; NaN for anything else. */
export function httpDate(text: string | null | undefined): number {
  if (text === null || text === undefined) return Number.NaN
  if (latest?.text !== text) latest = { text, time: Date.parse(text) }
  return latest.time
}
