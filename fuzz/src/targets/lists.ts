import assert from 'node:assert/strict'
import {
  parseJwtAudiences,
  parseNames,
  parseTokenAudiences,
} from '../../../packages/server/src/config/values/audience-list.ts'
import { parseClientNames } from '../../../packages/server/src/config/values/client-names.ts'
import { parseJwtAlgorithms } from '../../../packages/server/src/config/values/jwt-algorithms.ts'
import {
  formatListenAddress,
  parseListenAddress,
} from '../../../packages/server/src/config/values/listen-address.ts'
import { Refusal } from '../../../packages/server/src/config/values/refusal.ts'
import type { Target } from '../target.ts'

const lists = [parseTokenAudiences, parseJwtAudiences, parseNames, parseClientNames, parseJwtAlgorithms]

/** Lists of names in variables, and addresses of listeners. What is accepted reads the same when it is written again. */
export const listTarget: Target = {
  name: 'list',
  seeds: [
    'a,b',
    'PS256, EdDSA',
    'orders billing,orders',
    'spiffe://cluster/ns/x, Host.Example',
    ':8080',
    '127.0.0.1:0',
    '[::1]:8080',
    'localhost:65535',
  ],
  dictionary: [',', ' ', '*', ':', '[', ']', '::', '65536', '0x50', '\u00a0', '127.1'],
  sources: [
    'packages/server/src/config/values/audience-list.ts',
    'packages/server/src/config/values/client-names.ts',
    'packages/server/src/config/values/jwt-algorithms.ts',
    'packages/server/src/config/values/listen-address.ts',
  ],
  judge(input) {
    const text = input.toString()
    for (const parse of lists) {
      refusing(() => {
        const names = parse(text)
        assert.equal(new Set(names).size, names.length)
        assert.ok(names.every(name => name !== '' && name === name.trim()))
        if (names.length > 0) assert.deepEqual(parse(names.join(',')), names)
      })
    }
    refusing(() => {
      const address = parseListenAddress(text)
      assert.ok(Number.isInteger(address.port) && address.port >= 0 && address.port <= 65_535)
      assert.deepEqual(parseListenAddress(formatListenAddress(address)), address)
    })
  },
}

function refusing(parse: () => void): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    assert.ok(error.problems.every(problem => !/[\r\n]/.test(problem)))
  }
}
