import { invalidJwt } from './jwt-refusal.ts'

/** Real claims have two or three levels. The limit keeps code that walks through them from a stack overflow. */
const maxDepth = 64

/** Freezes claims with all nested values. Refuses claims that are nested deeper than 64 levels. */
export function freezeClaims(claims: object): void {
  deepFreeze(claims, maxDepth)
}

function deepFreeze(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth === 0) throw invalidJwt('claims', 'the claims are nested too deeply')
  for (const member of Object.values(value)) deepFreeze(member, depth - 1)
  Object.freeze(value)
}
