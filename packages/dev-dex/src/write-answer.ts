import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Answer } from './answer.ts'

/** Writes the status line and headers of an answer. */
export function writeHead(response: ServerResponse, { status, headers }: Omit<Answer, 'body'>): void {
  // Go writes neither Connection nor Keep-Alive, and the connection stays open all the same.
  response.removeHeader('Connection')
  response.writeHead(status, headers as OutgoingHttpHeaders)
}

/** Writes a whole answer; for HEAD, Node leaves the body out. */
export function writeAnswer(response: ServerResponse, answer: Answer): void {
  writeHead(response, answer)
  response.end(answer.body)
}
