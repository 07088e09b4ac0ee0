import { headerProvider } from '@broker/core'
import { expect, test } from 'vitest'
import * as adapter from '../src/index.ts'

test('the package exports these names, and the header provider is the one of the core', () => {
  expect(Object.keys(adapter).sort()).toEqual([
    'attachToken',
    'authOf',
    'brokerErrorHandler',
    'createRequestFetch',
    'headerProvider',
    'requireClaims',
    'requireJwt',
    'tokenOf',
  ])
  expect(adapter.headerProvider).toBe(headerProvider)
})
