import { isJsonObject } from '../../shared/http/parse-json-object.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** A media type without parameters, its first half optional (RFC 7515 section 4.1.9, RFC 6838 section 4.2). */
const mediaType = /^(?:[\w!#$&^.+-]+\/)?[\w!#$&^.+-]+$/

/**
 * Refuses what the issuer signed for another purpose: a logout token or a security event is signed by the same keys, and
 * proves no caller. Such a JWT says so in `typ`, or has the claim `events` (RFC 8417 section 2.2).
 */
export function assertIsProofOfCaller(typ: unknown, events: unknown): void {
  if (typ !== undefined && typeof typ !== 'string') throw invalidJwt('malformed', 'typ is not a string')
  if (isOfAnotherKind(typ) || isSecurityEvents(events)) {
    throw invalidJwt('unsupported', 'a JWT of another kind, such as a logout token')
  }
}

function isOfAnotherKind(typ: string | undefined): boolean {
  if (typ === undefined || typ === '') return false
  // With a blank or a parameter, a type would pass for a word that means nothing.
  if (!mediaType.test(typ)) throw invalidJwt('malformed', 'typ is not a media type')
  const type = typ.toLowerCase().replace(/^application\//, '')
  return type.endsWith('+jwt') && type !== 'at+jwt'
}

/** The members are named by URIs; a claim of the same name with anything else in it is the issuer's own matter. */
function isSecurityEvents(events: unknown): boolean {
  return isJsonObject(events) && Object.keys(events).some(name => URL.canParse(name))
}
