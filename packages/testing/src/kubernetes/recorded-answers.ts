import { readFileSync } from 'node:fs'

/** An answer of a real API server; headers that differ each time are left out. */
export interface RecordedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers of a real kube-apiserver 1.37.2, recorded by `record-api-server.ts`. */
export interface Recording {
  /** When the token was issued, in milliseconds since 1970. */
  readonly recordedAt: number
  readonly discovery: RecordedAnswer
  readonly keys: RecordedAnswer
  /** The key set for `Accept: application/json` alone. */
  readonly keysAsJson: RecordedAnswer
  /** Discovery without a token, and with a token that is none. */
  readonly anonymous: RecordedAnswer
  readonly wrongToken: RecordedAnswer
  /** The answer to a TokenRequest for `nightly` in `jobs` with the audience `dex-token-broker`. */
  readonly tokenRequest: RecordedAnswer
}

/** Reads the recording. */
export function readRecording(): Recording {
  return JSON.parse(readFileSync(new URL('recording.json', import.meta.url), 'utf8')) as Recording
}
