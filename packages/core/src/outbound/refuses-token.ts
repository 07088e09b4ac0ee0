import { saysInsufficientScope } from './insufficient-scope.ts'

/**
 * Whether an answer of a backend means that it does not take this token, and may take another one: a 401 whose
 * challenges, `www-authenticate`, do not say that the token is good and lacks a scope.
 */
export function refusesToken(status: number, challenges: string | null): boolean {
  return status === 401 && !saysInsufficientScope(challenges)
}
