import { findBinary } from './find-binary.ts'

/** Finds the controller of Envoy Gateway: ENVOY_GATEWAY_BIN, else `envoy-gateway` on the PATH; `undefined` when there is none. */
export function findEnvoyGateway(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findBinary(env['ENVOY_GATEWAY_BIN'], 'envoy-gateway', env)
}

/**
 * For `needs` of `@broker/testing/vitest`. With REQUIRE_ENVOY_GATEWAY, a missing controller is a failure instead of skipped tests.
 */
export function envoyGatewayNeed(env: NodeJS.ProcessEnv = process.env): {
  readonly ENVOY_GATEWAY_BIN: boolean
} {
  const isThere = findEnvoyGateway(env) !== undefined
  if (!isThere && env['REQUIRE_ENVOY_GATEWAY'])
    throw new Error(
      'REQUIRE_ENVOY_GATEWAY is set, and there is no envoy-gateway. Set ENVOY_GATEWAY_BIN or put it on the PATH.',
    )
  return { ENVOY_GATEWAY_BIN: isThere }
}
