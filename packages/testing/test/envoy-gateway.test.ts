import { envoyGatewayNeed, findEnvoyGateway } from '@broker/testing'
import { expect, test } from 'vitest'

test('Envoy Gateway is the one that is named, else the one on the PATH', () => {
  expect(findEnvoyGateway({ ENVOY_GATEWAY_BIN: '/opt/envoy-gateway', PATH: '' })).toBe('/opt/envoy-gateway')
  expect(findEnvoyGateway({ PATH: '/does-not-exist' })).toBeUndefined()
})

test('a machine without Envoy Gateway skips the tests, unless it is required', () => {
  expect(envoyGatewayNeed({ PATH: '' })).toEqual({ ENVOY_GATEWAY_BIN: false })
  expect(() => envoyGatewayNeed({ PATH: '', REQUIRE_ENVOY_GATEWAY: '1' })).toThrow(
    'REQUIRE_ENVOY_GATEWAY is set',
  )
})
