import { BrokerError } from '../shared/errors.ts'
import type { JwtClaims } from './jwt/jwt.ts'
import { JwtRefusal } from './jwt/jwt-refusal.ts'
import type { VerifiedCaller } from './verified-caller.ts'

/** The groups and scopes that every caller must have. */
export interface RequiredClaims {
  /** All of these must be among the caller's groups. */
  readonly groups: readonly string[]
  /** All of these must be among the scopes of the JWT. */
  readonly scopes: readonly string[]
}

/** Returns the refusal of a caller that lacks a required group or scope; `undefined` for one that has them all. */
export function refusalByRequiredClaims(
  caller: VerifiedCaller,
  required: RequiredClaims,
): BrokerError | undefined {
  const { groups, claims } = caller
  if (required.groups.length > 0) {
    const group = required.groups.find(name => !groups.includes(name))
    if (group !== undefined) return forbidden(caller, 'group', group)
  }
  if (required.scopes.length === 0) return undefined
  const scopes = scopesIn(claims)
  const scope = required.scopes.find(name => !scopes.includes(name))
  return scope === undefined ? undefined : forbidden(caller, 'scope', scope)
}

/** Names no group and no scope to the caller: these are the operator's. The log names the first one that is missing. */
function forbidden(caller: VerifiedCaller, reason: 'group' | 'scope', name: string): BrokerError {
  return new BrokerError('forbidden', `the JWT lacks a required ${reason}`, {
    cause: new JwtRefusal(reason, `it lacks the ${reason} ${JSON.stringify(name)}`).of(caller),
  })
}

/** The scopes in `scope` (RFC 8693 section 4.2) and in `scp`, which some issuers use: a list, or one text with blanks. */
function scopesIn({ scope, scp }: JwtClaims): readonly unknown[] {
  return [scope, scp].flatMap((value: unknown): readonly unknown[] =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [],
  )
}
