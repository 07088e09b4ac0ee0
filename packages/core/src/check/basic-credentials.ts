import { BrokerError } from '../shared/errors.ts'

/** A client id and a client secret in any Unicode; either may be empty. */
export interface BasicCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

/** The scheme, any case (RFC 9110 section 11.1), and the rest. */
const basic = /^basic(?: +(.*))?$/is
/** The characters of base64 (RFC 4648 section 4). */
const base64 = /^[A-Za-z\d+/]+={0,2}$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const control = /\p{Cc}/u

/**
 * Reads the client credentials in a value of `Authorization` (RFC 6749 section 2.3.1): both parts are form-encoded, joined with a
 * colon, and encoded in base64. Returns `undefined` for an empty value and for another scheme.
 *
 * Throws `invalid_request` for anything that receivers could read in different ways: base64 with errors, no colon, escapes that
 * are none, text that is not UTF-8, and control characters. Its message holds nothing of the value.
 */
export function basicCredentials(value: string): BasicCredentials | undefined {
  const match = basic.exec(value.trim())
  if (match === null) return undefined
  const pair = textIn(match[1] ?? '')
  const colon = pair.indexOf(':')
  if (colon === -1) throw malformed('have no colon')
  return { clientId: formDecoded(pair.slice(0, colon)), clientSecret: formDecoded(pair.slice(colon + 1)) }
}

function textIn(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64')
  // The second condition refuses wrong padding, and bits that no byte has: two texts would mean the same credentials.
  if (!base64.test(encoded) || bytes.toString('base64') !== encoded) throw malformed('are not valid base64')
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed('are not valid UTF-8')
  }
}

function formDecoded(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('are not form-encoded')
  }
  if (control.test(decoded)) throw malformed('have control characters')
  return decoded
}

function malformed(problem: string): BrokerError {
  return new BrokerError('invalid_request', `the Basic credentials in authorization ${problem}`)
}
