import { withSecretFiles } from './secret-files.ts'
import type { Variable } from './variable.ts'
import { backendHeaderVariables } from './variables/backend-header-variables.ts'
import { cacheVariables } from './variables/cache-variables.ts'
import { credentialVariables } from './variables/credential-variables.ts'
import { dexVariables } from './variables/dex-variables.ts'
import { fileVariables } from './variables/file-variables.ts'
import { jwtGateVariables } from './variables/jwt-gate-variables.ts'
import { listenerVariables } from './variables/listener-variables.ts'
import { logVariables } from './variables/log-variables.ts'
import { sharedStoreVariables } from './variables/shared-store-variables.ts'
import { traceVariables } from './variables/trace-variables.ts'

/**
 * Every variable. Validation, types, `Config`, `--help`, `--check-config`, docs/configuration.md and .env.example follow
 * from it, in this order.
 */
export const configSchema = withSecretFiles({
  ...fileVariables,
  ...listenerVariables,
  ...dexVariables,
  ...credentialVariables,
  ...backendHeaderVariables,
  ...cacheVariables,
  ...sharedStoreVariables,
  ...jwtGateVariables,
  ...logVariables,
  ...traceVariables,
} satisfies Readonly<Record<string, Variable>>)

/** The name of one of the server's variables. */
export type VariableName = keyof typeof configSchema

/** The names of all variables, in the order of the reference. */
export const variableNames = Object.keys(configSchema) as readonly VariableName[]
