import assert from 'node:assert/strict'
import { Refusal } from '../../../packages/server/src/config/values/refusal.ts'
import {
  formatTokenHeaderMappings,
  parseTokenHeaderMappings,
} from '../../../packages/server/src/config/values/token-header-mapping.ts'
import type { Target } from '../target.ts'

/** Names that would break a request, or that Envoy or the broker owns. */
const owned = /^(?:(?:host|content-length|transfer-encoding|connection|__proto__)$|:|x-envoy-)/

/** Mappings of fields to headers. The reference for names is `Headers` of `fetch`. */
export const headerMappingTarget: Target = {
  name: 'header-mapping',
  seeds: ['access_token:Authorization', 'id_token:x-id-token, scope', 'a:b,a:c,', ' expires_in : X-Expires '],
  dictionary: [
    ':',
    ',',
    'host',
    'Host',
    'content-length',
    'x-envoy-',
    ':path',
    '__proto__',
    'transfer-encoding',
  ],
  sources: [
    'packages/server/src/config/values/token-header-mapping.ts',
    'packages/core/src/options/header-name.ts',
  ],
  judge(input) {
    const text = input.toString()
    try {
      const mappings = parseTokenHeaderMappings(text)
      for (const { field, header } of mappings) {
        assert.ok(field !== '' && header === header.toLowerCase() && !owned.test(header), header)
        new Headers().set(header, 'x')
      }
      assert.equal(new Set(mappings.map(each => each.header)).size, mappings.length)
      assert.deepEqual(parseTokenHeaderMappings(formatTokenHeaderMappings(mappings)), mappings)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      assert.ok(error.problems.every(problem => !/[\r\n]/.test(problem)))
    }
  },
}
