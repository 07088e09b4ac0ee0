import { describe, expect, test } from 'vitest'
import { networkFailureCode, networkFailureHint } from '../../src/shared/http/network-failure.ts'

const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })

describe('the code of a failed request', () => {
  test.each<[string, unknown]>([
    ['on the error itself', refused],
    ['in its cause', new TypeError('fetch failed', { cause: refused })],
    ['two causes deep', new Error('x', { cause: new TypeError('fetch failed', { cause: refused }) })],
    [
      'in the first of several errors',
      new TypeError('fetch failed', { cause: new AggregateError([refused]) }),
    ],
  ])('is found %s', (_, error) => {
    expect(networkFailureCode(error)).toBe('ECONNREFUSED')
  })

  test('is none when there is none, and a circle of causes is no trap', () => {
    const circle: { cause?: unknown } = {}
    circle.cause = circle
    const odd = [
      circle,
      undefined,
      null,
      'ECONNREFUSED',
      new DOMException('late', 'TimeoutError'),
      { code: 7 },
    ]
    for (const error of [...odd, { errors: 5 }, { errors: [] }])
      expect(networkFailureCode(error)).toBeUndefined()
  })
})

test.each([
  ['ECONNREFUSED', 'DEX_TOKEN_URL'],
  ['ENOTFOUND', 'DEX_TOKEN_URL'],
  ['EAI_AGAIN', 'DEX_TOKEN_URL'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEX_CA_FILE'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'DEX_CA_FILE'],
])('the hint for %s names %s', (code, setting) => {
  expect(networkFailureHint(code, 'DEX_TOKEN_URL')).toContain(setting)
})
