import type { VariableName } from '../schema/config-schema.ts'
import type { SettingsReading } from '../schema/read-settings.ts'

/** Variables that enable the JWT gate. */
export const gateVariables: readonly VariableName[] = ['JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE']

/** Whether the set variables, or issuers in the configuration file, enable the gate. */
export function hasGate({ isSet, file }: Pick<SettingsReading, 'isSet' | 'file'>): boolean {
  return gateVariables.some(isSet) || file?.has.issuers === true
}
