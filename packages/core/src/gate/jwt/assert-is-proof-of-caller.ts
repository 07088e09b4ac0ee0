import { isJsonObject } from '../../shared/http/parse-json-object.ts'
import { invalidJwt } from './jwt-refusal.ts'

/**
 * Refuses what the issuer signed for another purpose: a logout token or a security event is signed by the same keys, and
 * proves no caller. Such a JWT says so in `typ` (RFC 8725 section 3.11), or has the claim `events` (RFC 8417 section 2.2).
 */
export function assertIsProofOfCaller(typ: unknown, events: unknown): void {
  if (typ !== undefined && typeof typ !== 'string') throw invalidJwt('malformed', 'typ is not a string')
  if (isOfAnotherKind(typ?.toLowerCase()) || isSecurityEvents(events)) {
    throw invalidJwt('unsupported', 'it is a JWT of another kind, such as a logout token')
  }
}

/** Wherever `+jwt` is: blanks and parameters make no other kind of it. Words without it pass, because issuers write many. */
function isOfAnotherKind(typ: string | undefined): boolean {
  if (!typ?.includes('+jwt')) return false
  const [type = ''] = typ.split(';', 1)
  return type.trim().replace(/^application\//, '') !== 'at+jwt'
}

/** The members are named by URIs; a claim of the same name with anything else in it is the issuer's own matter. */
function isSecurityEvents(events: unknown): boolean {
  return isJsonObject(events) && Object.keys(events).some(name => URL.canParse(name))
}
