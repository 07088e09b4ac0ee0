import type { Subject } from '../../shared/subject.ts'
import { assertTimes } from './assert-claims.ts'
import type { JwtClaims } from './jwt.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** The last moment that a `Date` can be; an `exp` after it would not fit into milliseconds. */
const lastMomentMs = 8.64e15

/**
 * Reads the subject of a token exchange from the claims of a JWT. Throws `invalid_token` without a finite `exp`, an `iss` and a
 * `sub`, and after `exp`: the tolerance of the gate does not extend it, because no exchanged token outlives its subject token.
 */
export function subjectOf(token: string, claims: JwtClaims, nowMs: number): Subject {
  const { iss: issuer, sub: subject, exp } = claims
  assertTimes({ exp }, 0, nowMs)
  if (typeof issuer !== 'string' || issuer === '')
    throw invalidJwt('claims', 'iss is missing or not a string')
  if (typeof subject !== 'string' || subject === '')
    throw invalidJwt('claims', 'sub is missing or not a string')
  return { token, issuer, subject, expiresAt: Math.min((exp as number) * 1000, lastMomentMs) }
}
