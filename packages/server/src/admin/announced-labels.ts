import type { BrokerErrorCode, JwtRefusalReason } from '@broker/core'

/** Outcomes of token requests whose series exist from the start. The other codes need an internal error. */
export const tokenRequestOutcomes = [
  'issued',
  'token_request_rejected',
  'client_misconfigured',
  'forbidden',
  'invalid_token_response',
  'token_endpoint_unavailable',
] as const satisfies readonly ('issued' | BrokerErrorCode)[]

// An object, so that a reason that is missing does not compile.
const reasons = {
  missing: true,
  malformed: true,
  algorithm: true,
  unsupported: true,
  issuer: true,
  audience: true,
  expired: true,
  not_yet_valid: true,
  claims: true,
  unknown_key: true,
  unusable_key: true,
  signature: true,
  group: true,
  scope: true,
} as const satisfies Record<JwtRefusalReason, true>

/** The reasons of refused JWTs; their series exist from the start. */
export const jwtRefusalReasons = Object.keys(reasons) as readonly JwtRefusalReason[]
