/** A whole HTTP response, before it is written to a socket. */
export interface Answer {
  /** The HTTP status. */
  readonly status: number
  /** The headers by name; a list is sent as several lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body as it is sent. */
  readonly body: string | Uint8Array
}

/** An answer in JSON; the body is text already, because Dex's spacing and escapes matter. */
export function jsonAnswer(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: {
      ...headers,
      'Content-Length': String(Buffer.byteLength(body)),
      'Content-Type': 'application/json',
    },
    body,
  }
}

/** An answer in plain text, as Go's `net/http` writes one. */
export function textAnswer(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      ...headers,
      'Content-Length': String(Buffer.byteLength(body)),
    },
    body,
  }
}

/** Go's `http.NotFound`. */
export const notFoundAnswer: Answer = textAnswer(404, '404 page not found\n', {
  'X-Content-Type-Options': 'nosniff',
})
