import { describe, expect, it } from 'vitest'
import { parseHeaderName } from '../../../src/config/values/header-name.ts'

describe('parseHeaderName', () => {
  it('returns the name in lower case', () => {
    expect(parseHeaderName('X-Access_Token~1')).toBe('x-access_token~1')
  })

  it.each(['', 'x y', 'x:y', 'x\n', 'é', '"x"', 'x,y'])('refuses %j, which is not a header name', name => {
    expect(() => parseHeaderName(name)).toThrow('is not a header name')
  })

  it.each([
    ['Connection', 'is a hop-by-hop header'],
    ['keep-alive', 'is a hop-by-hop header'],
    ['proxy-connection', 'is a hop-by-hop header'],
    ['TE', 'is a hop-by-hop header'],
    ['trailer', 'is a hop-by-hop header'],
    ['transfer-encoding', 'is a hop-by-hop header'],
    ['upgrade', 'is a hop-by-hop header'],
    ['Content-Length', 'describes the body of the message'],
    ['content-type', 'describes the body of the message'],
    ['content-encoding', 'describes the body of the message'],
    ['Expect', 'requests an interim response'],
    ['Host', 'decides where the request goes'],
    ['cache-control', 'is set by the broker itself'],
    ['__Proto__', 'cannot be a key of a JavaScript object'],
    [':path', 'is a pseudo header of HTTP/2'],
    ['X-Envoy-Auth-Headers-To-Remove', 'is a control header of Envoy'],
  ])('refuses %j, which %s', (name, problem) => {
    expect(() => parseHeaderName(name)).toThrow(problem)
  })
})
