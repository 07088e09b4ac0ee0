import { isNestedDeeperThan } from '../../shared/is-nested-deeper-than.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** Claims are two or three deep; whoever walks through them, or turns them into JSON, must not run out of stack. */
const maxDepth = 64

/** Freezes claims with all that is in them; refuses those that are nested deeper than 64. */
export function freezeClaims(claims: object): void {
  if (isNestedDeeperThan(claims, maxDepth)) throw invalidJwt('claims', 'the claims are nested too deeply')
  deepFreeze(claims)
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) deepFreeze(member)
  Object.freeze(value)
}
