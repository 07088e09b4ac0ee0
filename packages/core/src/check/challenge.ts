import { optionRules } from '../options/broker-options.ts'

const { maxLength } = optionRules.realm
/** The characters of a quoted string (RFC 9110 section 5.6.4), without tabs and bytes beyond ASCII. */
const printable = /^[\x20-\x7e]+$/

/** The error in a challenge (RFC 6750 section 3); fixed texts only. */
export interface ChallengeError {
  readonly error: 'invalid_token' | 'insufficient_scope'
  readonly description?: string
}

/** Tells why a value cannot be a realm, in words that follow the option's name; `undefined` when it can. */
export function realmProblem(realm: unknown): string | undefined {
  return typeof realm === 'string' && realm.length <= maxLength && printable.test(realm)
    ? undefined
    : `must be 1 to ${maxLength} printable ASCII characters`
}

/** Builds a Basic challenge (RFC 7617) for `WWW-Authenticate`. Throws a `TypeError` for an invalid realm. */
export function basicChallenge(realm: string): string {
  return `Basic ${realmParameter(realm)}, charset="UTF-8"`
}

/** Builds a Bearer challenge for `WWW-Authenticate`. Throws a `TypeError` for an invalid realm. */
export function bearerChallenge(realm: string, { error, description }: Partial<ChallengeError> = {}): string {
  const parameters = [realmParameter(realm)]
  if (error !== undefined) parameters.push(`error="${error}"`)
  if (description !== undefined) parameters.push(`error_description="${description}"`)
  return `Bearer ${parameters.join(', ')}`
}

function realmParameter(realm: string): string {
  const problem = realmProblem(realm)
  if (problem !== undefined) throw new TypeError(`realm ${problem}`)
  return `realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`
}
