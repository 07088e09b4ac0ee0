import type { VariableFault } from '../config-error.ts'
import type { VariableName } from '../schema/config-schema.ts'
import { faultOf, type SettingsReading } from '../schema/read-settings.ts'
import { keyPairVariables } from '../tls-settings.ts'

/** Variables that have no effect without another one. */
const needs: readonly (readonly [variable: VariableName, needed: VariableName])[] = [
  ...keyPairVariables.flatMap(([certificate, key]) => [
    [certificate, key] as const,
    [key, certificate] as const,
  ]),
  ['TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE'],
  ['TLS_CLIENT_SANS', 'TLS_CLIENT_CA_FILE'],
  ['ADMIN_TLS_CLIENT_CA_FILE', 'ADMIN_TLS_CERT_FILE'],
]

/** Half of a pair would leave a listener without the TLS that the operator expects. */
export function tlsIsComplete({ isSet }: SettingsReading): readonly VariableFault[] {
  return needs
    .filter(([variable, needed]) => isSet(variable) && !isSet(needed))
    .map(([variable, needed]) => faultOf(needed, `must be set, because ${variable} is`))
}

/** Variables that limit who connects to a listener, each with what it needs to matter and what its absence means. */
const limits: readonly (readonly [variable: VariableName, needed: VariableName, effect: string])[] = [
  ['TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE', 'callers need no certificate'],
  ['TLS_CLIENT_SANS', 'TLS_CLIENT_CA_FILE', 'every certificate of TLS_CLIENT_CA_FILE may connect'],
  ['ADMIN_TLS_CLIENT_CA_FILE', 'ADMIN_TLS_CERT_FILE', 'callers of the admin listener need no certificate'],
]

/** Warns of limits that are there and empty: a template that rendered nothing would open a listener in silence. */
export function emptyLimitWarnings({ isSet, textOf }: SettingsReading): readonly string[] {
  return limits
    .filter(([variable, needed]) => textOf(variable) === '' && isSet(needed))
    .map(([variable, , effect]) => `${variable} is empty, so ${effect}. Set it, or remove it.`)
}
