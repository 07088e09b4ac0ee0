import { canAuthenticate } from '../clients/client.ts'
import type { ClientAuthenticationMethod } from '../clients/client-authentication.ts'
import { type NamedClientSettings, reservedClientNames } from '../clients/clients.ts'
import {
  type ClientAuthMethod,
  type NamedClient,
  optionRules,
  type TokenBrokerOptions,
} from './broker-options.ts'
import { assertKnownNames, assertPlainObject, checked } from './option-values.ts'
import { clientPartNames, resolveClientParts } from './resolve-client.ts'
import type { ResolvedIssuer } from './resolved-issuer.ts'

/** A client in the option `clients`, validated. */
export interface ResolvedNamedClient extends Pick<NamedClientSettings, 'name' | 'configured'> {
  readonly authMethod: ClientAuthenticationMethod
  /** `undefined` for the Dex of the broker. */
  readonly dex: ResolvedIssuer | undefined
}

const names: { readonly [Name in keyof Required<NamedClient>]: true } = {
  ...clientPartNames,
  authMethod: true,
  dex: true,
}
const namePattern = /^[\w.-]{1,64}$/

/** Validates the option `clients`. */
export function resolveClients(
  { clients = {} }: TokenBrokerOptions,
  usual: { readonly authMethod: ClientAuthMethod; readonly issuers: readonly ResolvedIssuer[] },
): ResolvedNamedClient[] {
  assertPlainObject(clients, 'clients')
  return Object.entries(clients).map(([name, options]: [string, NamedClient]) => {
    if (!namePattern.test(name) || reservedClientNames.includes(name)) {
      throw new TypeError(
        `clients: ${JSON.stringify(name)} cannot be a name: use 1 to 64 letters, digits, "-", "_" and ".", and not ${reservedClientNames.join(' or ')}`,
      )
    }
    const option = `clients.${name}`
    assertPlainObject(options, option)
    assertKnownNames(options, Object.keys(names), `${option}.`)
    const configured = resolveClientParts(options, option)
    if (configured.clientId === undefined) throw new TypeError(`${option}.clientId is required`)
    if (!canAuthenticate(configured)) throw new TypeError(`${option}.clientSecret is required`)
    const { authMethod = undefined } = options
    if (authMethod !== undefined && configured.method !== undefined)
      throw new TypeError(`${option}.authMethod excludes ${option}.authentication`)
    const secretMethod = authMethod ?? usual.authMethod
    assertAuthMethod(secretMethod, `${option}.authMethod`)
    const dex = checked(options.dex, `${option}.dex`, 'string') ?? undefined
    return {
      name,
      configured,
      authMethod: configured.method ?? secretMethod,
      dex: dex === undefined ? undefined : dexNamed(dex, usual.issuers, `${option}.dex`),
    }
  })
}

/** Finds the issuer that a client names; `undefined` when it is the Dex of the broker. */
function dexNamed(
  name: string,
  issuers: readonly ResolvedIssuer[],
  option: string,
): ResolvedIssuer | undefined {
  const dex = issuers.find(issuer => issuer.name === name)
  if (dex === undefined) {
    throw new TypeError(`${option}: ${JSON.stringify(name)} is not the name of an issuer in issuers`)
  }
  return dex.sharesTokens ? undefined : dex
}

export function assertAuthMethod(value: unknown, option: string): asserts value is ClientAuthMethod {
  const { values } = optionRules.clientAuthMethod
  if (!values.includes(value as ClientAuthMethod))
    throw new TypeError(`${option} must be ${values.join(' or ')}`)
}
