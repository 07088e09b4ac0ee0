import type { AuthenticatedCaller } from './authenticated-caller.ts'
import type { CallersIssuer } from './callers-issuer.ts'
import { dexMachineOf } from './dex-machine.ts'
import type { JwtClaims } from './jwt/jwt.ts'

/** The caller of a verified JWT; derived once, because a JWT is used many times. */
export type VerifiedCaller = Omit<AuthenticatedCaller, 'token'>

/** The virtual group of a machine. No issuer can assign a group of this form. */
const machineGroupPrefix = 'client:'
const noGroups: readonly string[] = Object.freeze([])

/** Derives the caller from the frozen claims of a JWT that its issuer signed. */
export function verifiedCaller({ name, rules }: CallersIssuer, claims: JwtClaims): VerifiedCaller {
  const { sub } = claims
  const clientId = rules.isDex ? dexMachineOf(claims) : undefined
  const groups = groupsIn(claims, rules.groupsClaim)
  return {
    issuer: name,
    subject: typeof sub === 'string' ? sub : '',
    groups: clientId === undefined ? groups : Object.freeze([...groups, machineGroupPrefix + clientId]),
    clientId,
    claims,
  }
}

/** The groups in a claim: a list of strings, or one string. Other values are ignored, and groups of the virtual form. */
function groupsIn(claims: JwtClaims, claim: string): readonly string[] {
  const value: unknown = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  // The usual case needs no copy.
  if (Array.isArray(value) && value.every(isRealGroup)) return value
  const groups = [value].flat().filter(isRealGroup)
  return groups.length === 0 ? noGroups : Object.freeze(groups)
}

function isRealGroup(group: unknown): group is string {
  return typeof group === 'string' && !group.startsWith(machineGroupPrefix)
}
