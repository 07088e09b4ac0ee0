import { type NamedClientSettings, reservedClientNames } from '../clients/clients.ts'
import {
  type ClientAuthMethod,
  type NamedClient,
  optionRules,
  type TokenBrokerOptions,
} from './broker-options.ts'
import { assertKnownNames, assertPlainObject, checked } from './option-values.ts'
import { clientPartNames, resolveClientParts } from './resolve-client.ts'
import { type ResolvedDex, resolveDex } from './resolve-dex.ts'

/** A client in the option `clients`, validated. */
export interface ResolvedNamedClient extends Pick<NamedClientSettings, 'name' | 'configured'> {
  readonly authMethod: ClientAuthMethod
  /** `undefined` for the Dex of the broker. */
  readonly dex: ResolvedDex | undefined
}

const names: { readonly [Name in keyof Required<NamedClient>]: true } = {
  ...clientPartNames,
  authMethod: true,
  dex: true,
}
const namePattern = /^[\w.-]{1,64}$/

/** Validates the option `clients`. */
export function resolveClients(
  brokerOptions: TokenBrokerOptions,
  usualAuthMethod: ClientAuthMethod,
): ResolvedNamedClient[] {
  const { clients = {} } = brokerOptions
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
    for (const part of ['clientId', 'clientSecret'] as const) {
      if (configured[part] === undefined) throw new TypeError(`${option}.${part} is required`)
    }
    const authMethod = options.authMethod ?? usualAuthMethod
    assertAuthMethod(authMethod, `${option}.authMethod`)
    const dex = checked(options.dex, `${option}.dex`, 'string') ?? undefined
    return {
      name,
      configured,
      authMethod,
      dex: dex === undefined ? undefined : resolveDex(dex, brokerOptions, `${option}.dex`),
    }
  })
}

export function assertAuthMethod(value: unknown, option: string): asserts value is ClientAuthMethod {
  const { values } = optionRules.clientAuthMethod
  if (!values.includes(value as ClientAuthMethod))
    throw new TypeError(`${option} must be ${values.join(' or ')}`)
}
