import { binaryNeed } from './binary-need.ts'
import { findBinary } from './find-binary.ts'

const needed = {
  variable: 'ENVOY_GATEWAY_BIN',
  program: 'envoy-gateway',
  requirement: 'REQUIRE_ENVOY_GATEWAY',
} as const

/** Finds the controller of Envoy Gateway: ENVOY_GATEWAY_BIN, else `envoy-gateway` on the PATH; `undefined` when there is none. */
export function findEnvoyGateway(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env[needed.variable], needed.program, env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_ENVOY_GATEWAY, a missing controller is a failure instead of skipped tests.
 */
export function envoyGatewayNeed(env: NodeJS.ProcessEnv = process.env): {
  readonly ENVOY_GATEWAY_BIN: boolean
} {
  return binaryNeed(needed, env)
}
