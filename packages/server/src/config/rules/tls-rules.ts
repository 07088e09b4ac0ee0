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
