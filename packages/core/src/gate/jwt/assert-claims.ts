import { dexMachineOf } from '../dex-machine.ts'
import type { JwtClaims } from './jwt.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** The claims that a JWT of an issuer must have. */
export interface ClaimsRules {
  /** One of these must be in `aud`; an empty list accepts any audience. */
  readonly audiences: readonly string[]
  /** One of these may be in `aud` of a machine instead. */
  readonly machineAudiences: 'any' | readonly string[]
  /** Whether the issuer is Dex, whose client_credentials tokens are machines. */
  readonly isDex: boolean
  /** Tolerated clock difference, in milliseconds. */
  readonly clockToleranceMs: number
}

/** Checks the registered claims of RFC 7519 section 4.1 other than `iss`; `exp` is required. Needs no key. */
export function assertClaims(claims: JwtClaims, rules: ClaimsRules, nowMs: number): void {
  if (!isForAudience(claims, rules)) {
    throw invalidJwt('audience', 'aud does not contain an expected audience')
  }
  assertTimes(claims, rules.clockToleranceMs, nowMs)
}

/** Checks `exp` and `nbf`, also for a JWT that was verified before. Refuses infinity, to which `1e999` parses. */
export function assertTimes(claims: JwtClaims, clockToleranceMs: number, nowMs: number): void {
  const { exp, nbf } = claims
  if (!isFiniteNumber(exp)) throw invalidJwt('claims', 'exp is missing or not a finite number')
  if (nowMs >= exp * 1000 + clockToleranceMs) throw invalidJwt('expired', 'it is expired')
  if (nbf === undefined) return
  if (!isFiniteNumber(nbf)) throw invalidJwt('claims', 'nbf is not a finite number')
  if (nowMs < nbf * 1000 - clockToleranceMs) throw invalidJwt('not_yet_valid', 'it is not valid yet')
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Dex issues the tokens of machines for their own client id, so that no usual audience fits them. */
function isForAudience(claims: JwtClaims, { audiences, machineAudiences, isDex }: ClaimsRules): boolean {
  const { aud } = claims
  if (audiences.length === 0 || includesAny(aud, audiences)) return true
  if (!isDex || machineAudiences.length === 0 || dexMachineOf(claims) === undefined) return false
  return machineAudiences === 'any' || includesAny(aud, machineAudiences)
}

function includesAny(aud: unknown, audiences: readonly string[]): boolean {
  if (typeof aud === 'string') return audiences.includes(aud)
  return Array.isArray(aud) && aud.some(value => typeof value === 'string' && audiences.includes(value))
}
