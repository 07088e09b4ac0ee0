import { optionRules } from '../options/broker-options.ts'

const { maxLength } = optionRules.realm
/** What a quoted string can carry (RFC 9110 section 5.6.4), without tabs and bytes beyond ASCII. */
const printable = /^[\x20-\x7e]+$/

/** What a challenge says beside its realm (RFC 6750 section 3); fixed texts only. */
export interface ChallengeError {
  readonly error: 'invalid_token' | 'insufficient_scope'
  readonly description?: string
}

/** Why a text cannot be a realm, in words that follow the option's name; `undefined` when it can. */
export function realmProblem(realm: unknown): string | undefined {
  return typeof realm === 'string' && realm.length <= maxLength && printable.test(realm)
    ? undefined
    : `must be 1 to ${maxLength} printable ASCII characters`
}

/** The value of `WWW-Authenticate`: a Bearer challenge. Throws a `TypeError` for a realm that no header can carry. */
export function bearerChallenge(realm: string, { error, description }: Partial<ChallengeError> = {}): string {
  const problem = realmProblem(realm)
  if (problem !== undefined) throw new TypeError(`realm ${problem}`)
  const parameters = [`realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`]
  if (error !== undefined) parameters.push(`error="${error}"`)
  if (description !== undefined) parameters.push(`error_description="${description}"`)
  return `Bearer ${parameters.join(', ')}`
}
