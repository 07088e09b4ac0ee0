import type { ChooseClient } from '../check/choose-client.ts'
import { type CredentialHeaderNames, namesOf } from '../check/credential-headers.ts'
import { scopeTokenProblem } from '../clients/client-credentials.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import { optionRules, type TokenBrokerOptions } from './broker-options.ts'
import { checked, given, headerName, strings } from './option-values.ts'

/** The options about which token a check gets, validated. */
export interface ResolvedChoice {
  readonly chooseClient: ChooseClient | undefined
  readonly routeClients: boolean
  /** In lower case. */
  readonly backendHeaders: readonly string[]
  /** `undefined` permits any. */
  readonly allowedClientIds: readonly string[] | undefined
  /** `undefined` permits any. */
  readonly allowedScopes: readonly string[] | undefined
}

/** The headers that have a meaning for the broker already. */
export interface TakenHeaders {
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly TokenHeader[]
  readonly credentialHeaders: CredentialHeaderNames
}

/** Validates `chooseClient`, `routeClients`, `backendHeaders`, `allowedClientIds` and `allowedScopes`. */
export function resolveChoice(options: TokenBrokerOptions, taken: TakenHeaders): ResolvedChoice {
  const allowedScopes = resolveList(options.allowedScopes, 'allowedScopes')
  for (const scope of allowedScopes ?? []) {
    const problem = scopeTokenProblem(scope)
    if (problem !== undefined) throw new TypeError(`allowedScopes: ${JSON.stringify(scope)} ${problem}`)
  }
  return {
    chooseClient: checked(options.chooseClient, 'chooseClient', 'function') ?? undefined,
    routeClients:
      checked(options.routeClients, 'routeClients', 'boolean') ?? optionRules.routeClients.default,
    backendHeaders: resolveBackendHeaders(options, taken),
    allowedClientIds: resolveList(options.allowedClientIds, 'allowedClientIds'),
    allowedScopes,
  }
}

function resolveList(value: unknown, option: string): readonly string[] | undefined {
  return given(value === undefined || value === null ? undefined : strings(value, option), option)
}

function resolveBackendHeaders(
  { backendHeaders, reservedHeaderPrefixes = {} }: TokenBrokerOptions,
  { authorizationHeader, tokenHeaders, credentialHeaders }: TakenHeaders,
): string[] {
  const taken = new Set([
    'authorization',
    authorizationHeader,
    ...tokenHeaders.map(({ header }) => header),
    ...namesOf(credentialHeaders),
  ])
  return strings(backendHeaders ?? [], 'backendHeaders').map(name => {
    const header = headerName(name, 'backendHeaders', reservedHeaderPrefixes)
    if (taken.has(header)) throw new TypeError(`backendHeaders: ${header} is already used by the broker`)
    taken.add(header)
    return header
  })
}
