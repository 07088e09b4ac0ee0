import { isNestedDeeperThan } from '../../shared/is-nested-deeper-than.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** Real claims have two or three levels. The limit keeps code that walks through them from a stack overflow. */
const maxDepth = 64

/** Freezes claims with all nested values. Refuses claims that are nested deeper than 64 levels. */
export function freezeClaims(claims: object): void {
  if (isNestedDeeperThan(claims, maxDepth)) throw invalidJwt('claims', 'the claims are nested too deeply')
  deepFreeze(claims)
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) deepFreeze(member)
  Object.freeze(value)
}
