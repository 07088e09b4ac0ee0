import { isJsonObject } from '../../shared/http/parse-json-object.ts'
import { invalidJwt } from './jwt-refusal.ts'

/**
 * Refuses JWTs for other purposes, such as logout tokens and security events. The same keys sign them, and they prove no
 * caller. They are recognised by `typ` (RFC 8725 section 3.11) or the claim `events` (RFC 8417 section 2.2).
 */
export function assertIsProofOfCaller(typ: unknown, events: unknown): void {
  if (typ !== undefined && typeof typ !== 'string') throw invalidJwt('malformed', 'typ is not a string')
  if (isOfAnotherKind(typ?.toLowerCase()) || isSecurityEvents(events)) {
    throw invalidJwt('unsupported', 'it is a JWT of another kind, such as a logout token')
  }
}

/** Judges `typ` values with `+jwt` only, because issuers use many others. Ignores blanks and parameters. */
function isOfAnotherKind(typ: string | undefined): boolean {
  if (!typ?.includes('+jwt')) return false
  const [type = ''] = typ.split(';', 1)
  return type.trim().replace(/^application\//, '') !== 'at+jwt'
}

/** The members of a security event are named by URIs. An issuer may use a claim `events` with other members. */
function isSecurityEvents(events: unknown): boolean {
  return isJsonObject(events) && Object.keys(events).some(name => URL.canParse(name))
}
