import type { ClaimsRules } from '../gate/jwt/assert-claims.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { type GateOptions, optionRules } from './broker-options.ts'
import { type OptionNumbers, optionNumbers } from './option-numbers.ts'
import { assertKnownNames, checked, given, oneOrMore, strings } from './option-values.ts'

export interface ResolvedGate extends ClaimsRules, OptionNumbers<'gate.'> {
  /** `undefined` for Dex's key set. */
  readonly jwksUri: string | undefined
}

const names: { readonly [Name in Exclude<keyof GateOptions, keyof OptionNumbers<'gate.'>>]-?: true } = {
  jwksUri: true,
  issuer: true,
  audience: true,
  machineAudiences: true,
  groupsClaim: true,
  requiredGroups: true,
  requiredScopes: true,
  jwtHeader: true,
}

/** Validates the option `gate`; `dex` has the options `issuer` and `jwksUri`. */
export function resolveGate(
  gate: GateOptions,
  dex: { readonly issuer: string | undefined; readonly jwksUri: string | undefined },
  allowInsecure: boolean,
): ResolvedGate {
  if (typeof gate !== 'object' || Array.isArray(gate))
    throw new TypeError('gate must be an object; omit it to admit every caller')
  const { jwksMaxAgeMs = optionRules['gate.jwksMaxAgeMs'].default } = gate
  const { default: usualMaxStaleMs } = optionRules['gate.jwksMaxStaleMs']
  const followsMaxAge = gate.jwksMaxStaleMs === undefined && jwksMaxAgeMs > usualMaxStaleMs
  const numbers = optionNumbers({ ...gate, ...(followsMaxAge && { jwksMaxStaleMs: jwksMaxAgeMs }) }, 'gate.')
  if (numbers.jwksMaxStaleMs < numbers.jwksMaxAgeMs) {
    throw new TypeError('gate.jwksMaxStaleMs must not be below gate.jwksMaxAgeMs')
  }
  assertKnownNames(gate, [...Object.keys(names), ...Object.keys(numbers)], 'gate.')
  const usesDexsKeys = gate.jwksUri === undefined && (dex.issuer ?? dex.jwksUri) !== undefined
  if (!usesDexsKeys && gate.jwksUri === undefined) {
    throw new TypeError('gate.jwksUri is required without issuer and jwksUri')
  }
  const audience = gate.audience ?? undefined
  const audiences = audience === undefined ? undefined : strings(oneOrMore(audience), 'gate.audience')
  return {
    ...numbers,
    jwksUri: usesDexsKeys ? undefined : endpointUrl(gate.jwksUri, 'gate.jwksUri', allowInsecure),
    issuer:
      given(checked(gate.issuer, 'gate.issuer', 'string'), 'gate.issuer') ??
      (usesDexsKeys ? dex.issuer : undefined),
    audiences: given(audiences, 'gate.audience') ?? [],
  }
}
