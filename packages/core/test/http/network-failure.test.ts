import { describe, expect, test } from 'vitest'
import { type Hint, hintText } from '../../src/shared/hint.ts'
import { isUnreached, networkFailureCode, networkFailureHint } from '../../src/shared/http/network-failure.ts'

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
  ['ECONNREFUSED', 'tokenEndpoint'],
  ['ENOTFOUND', 'tokenEndpoint'],
  ['EAI_AGAIN', 'tokenEndpoint'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'transport'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tokenEndpoint'],
])('the hint for %s names %s, and the name that a way in has for it', (code, option) => {
  const hint = networkFailureHint(code, 'tokenEndpoint') as Hint
  expect(hintText(hint)).toContain(option)
  expect(hintText(hint, name => `<${name}>`)).toContain(`<${option}>`)
})

test.each([
  ['CERT_REVOKED', 'certificate_not_trusted'],
  ['CERT_HAS_EXPIRED', 'certificate_expired'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_failed'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_failed'],
  ['HPE_INVALID_CONSTANT', 'not_http'],
  ['UND_ERR_CONNECT_TIMEOUT', 'not_connected_in_time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'not_answered_in_time'],
  ['UND_ERR_BODY_TIMEOUT', 'not_answered_in_time'],
  ['UND_ERR_SOCKET', 'connection_closed'],
  ['EPIPE', 'connection_closed'],
])('%s is a problem of its own kind: %s', (code, problem) => {
  const hint = networkFailureHint(code, 'tokenEndpoint') as Hint
  expect(hint).toEqual({ problem, option: 'tokenEndpoint' })
  expect(hintText(hint)).not.toContain('undefined')
})

test.each([
  'ECONNREFUSED',
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
])('a request that failed with %s never reached the server', code => {
  expect(isUnreached(code)).toBe(true)
})

test.each([undefined, 'ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT'])(
  'a request that failed with %s may have reached the server',
  code => {
    expect(isUnreached(code)).toBe(false)
  },
)
