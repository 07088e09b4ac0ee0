import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { type GateOptions, optionRules, type TokenBrokerOptions } from './broker-options.ts'
import { type OptionNumbers, optionNumbers } from './option-numbers.ts'
import { assertKnownNames, checked, given, strings } from './option-values.ts'
import {
  type IssuersContext,
  resolveAlgorithms,
  resolveAudiences,
  resolveGroupsClaim,
  resolveIssuers,
  resolveMachineAudiences,
} from './resolve-issuers.ts'
import type { ResolvedIssuer } from './resolved-issuer.ts'

/** The options `gate` and `issuers`, validated. */
export interface ResolvedGate extends OptionNumbers<'gate.'> {
  /** The issuers of callers' JWTs, at least one. */
  readonly issuers: readonly ResolvedIssuer[]
  /** The option with the expected values of `iss`. */
  readonly issuerOption: 'gate.issuer' | 'issuers'
  readonly requiredGroups: readonly string[]
  readonly requiredScopes: readonly string[]
}

const names: { readonly [Name in Exclude<keyof GateOptions, keyof OptionNumbers<'gate.'>>]-?: true } = {
  jwksUri: true,
  issuer: true,
  audience: true,
  machineAudiences: true,
  algorithms: true,
  groupsClaim: true,
  requiredGroups: true,
  requiredScopes: true,
  jwtHeader: true,
}

/** The options of `gate` that each of the issuers has itself, with the names there. */
const ofOneIssuer = {
  jwksUri: 'jwksUri',
  issuer: 'issuer',
  audience: 'audiences',
  machineAudiences: 'machineAudiences',
  algorithms: 'algorithms',
  groupsClaim: 'groupsClaim',
} as const

/** Validates the options `gate` and `issuers`; `undefined` without both, which admits every caller. */
export function resolveGate(
  options: TokenBrokerOptions,
  dex: Omit<IssuersContext, 'clockToleranceMs'>,
): ResolvedGate | undefined {
  const gate = options.gate ?? undefined
  const issuers = options.issuers ?? undefined
  if (gate === undefined && issuers === undefined) return undefined
  const { numbers, requiredGroups, requiredScopes } = resolveConditions(gate ?? {}, options)
  const { clockToleranceMs } = numbers
  for (const [name, nameOfIssuer] of Object.entries(ofOneIssuer)) {
    if (issuers === undefined || (gate?.[name as keyof GateOptions] ?? undefined) === undefined) continue
    throw new TypeError(`gate.${name} must be omitted with issuers; each of them has ${nameOfIssuer}`)
  }
  return {
    ...numbers,
    issuers:
      issuers === undefined
        ? [issuerOfGate(gate ?? {}, { ...dex, clockToleranceMs })]
        : resolveIssuers(options, { ...dex, clockToleranceMs }),
    issuerOption: issuers === undefined ? 'gate.issuer' : 'issuers',
    requiredGroups,
    requiredScopes,
  }
}

interface Conditions extends Pick<ResolvedGate, 'requiredGroups' | 'requiredScopes'> {
  readonly numbers: OptionNumbers<'gate.'>
}

function resolveConditions(gate: GateOptions, options: TokenBrokerOptions): Conditions {
  if (typeof gate !== 'object' || Array.isArray(gate))
    throw new TypeError('gate must be an object; omit it to admit every caller')
  const jwksMaxAgeMs = gate.jwksMaxAgeMs ?? options.jwksMaxAgeMs ?? optionRules['gate.jwksMaxAgeMs'].default
  const { default: usualMaxStaleMs } = optionRules['gate.jwksMaxStaleMs']
  const followsMaxAge = gate.jwksMaxStaleMs === undefined && jwksMaxAgeMs > usualMaxStaleMs
  const numbers = optionNumbers(
    { ...gate, jwksMaxAgeMs, ...(followsMaxAge && { jwksMaxStaleMs: jwksMaxAgeMs }) },
    'gate.',
  )
  if (numbers.jwksMaxStaleMs < numbers.jwksMaxAgeMs) {
    throw new TypeError('gate.jwksMaxStaleMs must not be below gate.jwksMaxAgeMs')
  }
  assertKnownNames(gate, [...Object.keys(names), ...Object.keys(numbers)], 'gate.')
  return {
    numbers,
    requiredGroups: listOf(gate.requiredGroups, 'gate.requiredGroups'),
    requiredScopes: listOf(gate.requiredScopes, 'gate.requiredScopes'),
  }
}

/** Refuses an empty list, which is usually an unset variable and must not open the gate. */
function listOf(value: readonly string[] | undefined, option: string): readonly string[] {
  return given((value ?? undefined) === undefined ? undefined : strings(value, option), option) ?? []
}

function issuerOfGate(gate: GateOptions, dex: IssuersContext): ResolvedIssuer {
  const usesDexsKeys = gate.jwksUri === undefined && (dex.issuer ?? dex.jwksUri) !== undefined
  if (!usesDexsKeys && gate.jwksUri === undefined) {
    throw new TypeError('gate.jwksUri is required without issuer and jwksUri')
  }
  const issuer =
    given(checked(gate.issuer, 'gate.issuer', 'string'), 'gate.issuer') ??
    (usesDexsKeys ? dex.issuer : undefined)
  const machineAudiences = resolveMachineAudiences(gate.machineAudiences, 'gate.machineAudiences')
  const keys = usesDexsKeys ? (dex.jwksUri === undefined ? 'issuer' : 'jwksUri') : 'gate.jwksUri'
  return {
    name: 'default',
    shownAs: undefined,
    paths: {
      issuer: 'gate.issuer',
      audiences: 'gate.audience',
      clockToleranceMs: 'gate.clockToleranceMs',
      discovery: 'issuer',
      keys,
      tokens: 'tokenEndpoint',
    },
    issuer,
    acceptsAnyIss: issuer === undefined,
    discoveryUrl: undefined,
    jwksUri: usesDexsKeys ? undefined : endpointUrl(gate.jwksUri, 'gate.jwksUri', dex.allowInsecureUrls),
    tokenEndpoint: undefined,
    sharesKeys: usesDexsKeys,
    sharesTokens: false,
    hasClients: false,
    isDex: usesDexsKeys || machineAudiences !== undefined || (issuer !== undefined && issuer === dex.issuer),
    audiences: resolveAudiences(gate.audience, 'gate.audience'),
    machineAudiences: machineAudiences ?? [],
    algorithms: resolveAlgorithms(gate.algorithms, 'gate.algorithms'),
    clockToleranceMs: dex.clockToleranceMs,
    groupsClaim: resolveGroupsClaim(gate.groupsClaim, 'gate.groupsClaim'),
    transport: undefined,
  }
}
