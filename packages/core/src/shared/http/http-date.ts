import { rememberLatest } from '../remember-latest.ts'

/** Answers of the same second name the same time, and reading takes a microsecond. */
const timeOf = rememberLatest(text => Date.parse(text))

/** Reads the `Date` of an answer (RFC 9110 section 5.6.7): milliseconds since the Unix epoch; NaN for anything else. */
export function httpDate(text: string | null | undefined): number {
  return text === null || text === undefined ? Number.NaN : timeOf(text)
}
