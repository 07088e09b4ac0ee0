import { type Answer, jsonAnswer } from './answer.ts'
import { goJson } from './go-text.ts'

/** An error response of RFC 6749 section 5.2 the way Dex writes it: no Cache-Control, no WWW-Authenticate. */
export function oauthErrorAnswer(
  status: number,
  error: string,
  description = '',
  headers: Answer['headers'] = {},
): Answer {
  const body = description === '' ? { error } : { error, error_description: description }
  return jsonAnswer(status, goJson(body), headers)
}
