import type { AuthenticatedCaller } from './authenticated-caller.ts'
import type { CallersIssuer } from './callers-issuer.ts'
import { dexMachineOf } from './dex-machine.ts'
import type { JwtClaims } from './jwt/jwt.ts'

/** What a verified JWT tells about its caller; derived once, because a JWT is used many times. */
export type VerifiedCaller = Omit<AuthenticatedCaller, 'token'>

/** The virtual group of a machine. No issuer can assign a group of this form. */
const machineGroupPrefix = 'client:'

/** Derives the caller from the claims of a JWT that its issuer signed. */
export function verifiedCaller({ name, rules }: CallersIssuer, claims: JwtClaims): VerifiedCaller {
  const { sub } = claims
  const clientId = rules.isDex ? dexMachineOf(claims) : undefined
  const groups = groupsIn(claims, rules.groupsClaim).filter(group => !group.startsWith(machineGroupPrefix))
  if (clientId !== undefined) groups.push(machineGroupPrefix + clientId)
  return {
    issuer: name,
    subject: typeof sub === 'string' ? sub : '',
    groups: Object.freeze(groups),
    clientId,
    claims,
  }
}

/** The groups in a claim: a list of strings, or one string. Other values are ignored. */
function groupsIn(claims: JwtClaims, claim: string): string[] {
  const value: unknown = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(group => typeof group === 'string') : []
}
