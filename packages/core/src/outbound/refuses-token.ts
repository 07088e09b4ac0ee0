import { saysInsufficientScope } from './insufficient-scope.ts'

/**
 * Tells whether a backend's answer refuses this token, so that a new one can help: a 401 without the error
 * `insufficient_scope` in its challenges. `challenges` is the value of `www-authenticate`.
 */
export function refusesToken(status: number, challenges: string | null): boolean {
  return status === 401 && !saysInsufficientScope(challenges)
}
