import type { VariableName } from '../schema/config-schema.ts'

/** Each of them turns the JWT gate on. */
export const gateVariables: readonly VariableName[] = ['JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE']

/** Whether there is a gate, by which variables are set. */
export function hasGate(isSet: (variable: VariableName) => boolean): boolean {
  return gateVariables.some(isSet)
}
