import assert from 'node:assert/strict'
import { canonicalPath } from '../../../packages/core/src/check/canonical-path.ts'
import { clientTarget, targetKind } from '../../../packages/server/src/http/raw-target.ts'
import type { Target } from '../target.ts'

/**
 * The path that rules see, and the target of a check. Whatever a backend decodes, the segments are the same, and the reference, the
 * URL parser of WHATWG, has the same path.
 */
export const requestPathTarget: Target = {
  name: 'request-path',
  seeds: [
    '/check/orders/42',
    '/check/a%20b/ü',
    '/check?x=/../',
    '/check/%7Euser/(x)',
    '/check/a/./b',
    '/check/..;/x',
    '/healthz',
    '/check/%25%32%65',
    '/check/%E2%80%AE',
  ],
  dictionary: [
    '/check',
    '/..',
    '/.',
    '%2e',
    '%2F',
    '%5c',
    '%252e',
    '..;',
    '/%c0%ae',
    '\u2024',
    '\uff0e',
    '\u200b',
    '?',
    '#',
    '//',
    '%3b',
  ],
  sources: [
    'packages/core/src/check/canonical-path.ts',
    'packages/core/src/shared/unambiguous-path.ts',
    'packages/server/src/http/raw-target.ts',
  ],
  judge(input) {
    const target = input.toString('latin1')
    if (targetKind(target, []) !== 'check') {
      assert.ok(target !== '/check' && !/^\/check[/?]/.test(target))
      return
    }
    assert.equal(targetKind(target, ['X-Envoy-Original', '']), 'check')
    const own = clientTarget(target)
    if (own === undefined) return
    const [path = ''] = own.split('?')
    const canonical = canonicalPath(path)
    if (canonical === undefined) return
    assert.equal(canonicalPath(canonical), canonical)
    assert.match(canonical, /^\/[\x21-\x7e]*$/)
    assert.equal(new URL(`http://h${canonical}`).pathname, canonical)
    for (let text = canonical, level = 0; level < 10; level++) {
      assert.equal(text.split('/').length, path.split('/').length)
      assert.ok(text.split(/[/\\]/).every(segment => !/^\.+$/.test(segment)))
      text = decodeURIComponent(text.replace(/%(?![\da-f]{2})/gi, '%25'))
    }
  },
}
