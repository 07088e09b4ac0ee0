import assert from 'node:assert/strict'
import { shownUrl } from '@broker/core/options'
import { endpointUrl } from '../../../packages/core/src/shared/http/endpoint-url.ts'
import { storeAddress } from '../../../packages/redis-store/src/store-url.ts'
import { parseEndpointUrl, parseIssuer } from '../../../packages/server/src/config/values/endpoint-url.ts'
import { Refusal } from '../../../packages/server/src/config/values/refusal.ts'
import { parseStoreUrl } from '../../../packages/server/src/config/values/shared-store-options.ts'
import { assertHidesSecret, secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

/** URLs of endpoints, issuers and stores. No message shows the password of a URL. */
export const urlTarget: Target = {
  name: 'url',
  seeds: [
    'https://dex.example/token',
    `https://user:${secret}@dex.example/token`,
    `http://127.0.0.1:5556/dex?x=${secret}`,
    `rediss://:${secret}@cache:6380/0`,
    'redis-sentinel://a:26379,b/mymaster',
    'valkeys-cluster://[::1]:7000,node-2',
    'https://[2001:db8::1]:8443/a%20b',
  ],
  dictionary: ['https://', 'http://', 'redis://', '@', ':', '//', '\\', '?', '#', '[::1]', '%40', ','],
  sources: [
    'packages/server/src/config/values/endpoint-url.ts',
    'packages/server/src/config/values/quote-url.ts',
    'packages/server/src/config/values/shared-store-options.ts',
    'packages/core/src/shared/http/endpoint-url.ts',
    'packages/redis-store/src/store-url.ts',
  ],
  judge(input) {
    const text = input.toString()
    refusing(Refusal, text, () => {
      const url = parseEndpointUrl(text)
      assert.match(url.protocol, /^https?:$/)
      assert.ok(url.hostname !== '' && url.username === '' && url.password === '' && url.hash === '')
      assert.equal(parseEndpointUrl(url.href).href, url.href)
      // The query can be a key of the operator.
      assert.ok(!shownUrl(url.href).includes('?x='))
    })
    refusing(Refusal, text, () => assert.equal(parseIssuer(text), text))
    refusing(Refusal, text, () => assert.equal(parseStoreUrl(text), text))
    refusing(TypeError, text, () => {
      const url = new URL(endpointUrl(text, 'tokenEndpoint', false))
      assert.ok(url.protocol === 'https:' || /^(?:localhost|127\.|\[::1\])/.test(url.hostname))
      assert.ok(url.username === '' && url.password === '' && url.hash === '')
    })
    refusing(TypeError, text, () => {
      const { nodes, db } = storeAddress(text)
      assert.ok(nodes.length > 0 && nodes.every(({ host, port }) => host !== '' && port > 0 && port < 65_536))
      assert.ok(Number.isSafeInteger(db) && !text.includes('@'))
    })
  },
}

function refusing(type: typeof Refusal | typeof TypeError, text: string, parse: () => void): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof type)) throw error
    // Only the messages of the parser: V8's own would be a fault.
    assert.doesNotMatch(error.message, /Cannot|undefined|Invalid URL/)
    if (isPlacedAsSecret(text)) assertHidesSecret(error.message)
  }
}

/** Before an `@`, or in a query. */
function isPlacedAsSecret(text: string): boolean {
  return text.includes(`${secret}@`) || text.split(secret)[0]?.includes('?') === true
}
