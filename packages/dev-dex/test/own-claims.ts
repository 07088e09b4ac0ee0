import { expect } from 'vitest'
import type { ConformanceIssuer } from './conformance-issuer.ts'

/** The claims that every token has. */
export function ownClaims(issuer: ConformanceIssuer, sub: string, aud: unknown): Record<string, unknown> {
  return {
    iss: issuer.issuer,
    sub,
    aud,
    exp: expect.any(Number),
    iat: expect.any(Number),
    jti: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    at_hash: expect.stringMatching(/^[\w-]{22}$/),
  }
}
