import type { VariableName } from '../schema/config-schema.ts'

/** Variables that enable the JWT gate. */
export const gateVariables: readonly VariableName[] = ['JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE']

/** Whether the set variables enable the gate. */
export function hasGate(isSet: (variable: VariableName) => boolean): boolean {
  return gateVariables.some(isSet)
}
