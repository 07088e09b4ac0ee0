import { describe, expect, it } from 'vitest'
import { formatListenAddress, parseListenAddress } from '../../../src/config/values/listen-address.ts'

describe('parseListenAddress', () => {
  it.each([
    [':8080', { port: 8080 }],
    [':0', { port: 0 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
    ['localhost:8080', { host: 'localhost', port: 8080 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[::]:8080', { host: '::', port: 8080 }],
  ])('reads %j and writes it back', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address)
    expect(formatListenAddress(address)).toBe(text)
  })

  it.each([
    ['8080', 'is not host:port (a port alone is written with a colon)'],
    ['localhost', 'is not host:port'],
    ['localhost:', 'has no port'],
    ['::1:8080', 'is not host:port (an IPv6 address goes in brackets)'],
    [':65536', 'has no port from 0 to 65535'],
    [':http', 'has no port from 0 to 65535'],
    [':-1', 'has no port from 0 to 65535'],
    ['http://localhost:8080', 'is not host:port (an IPv6 address goes in brackets)'],
    ['[localhost]:8080', 'has a host that is neither a name nor an IP address'],
    ['256.0.0.1:8080', 'has a host that is neither a name nor an IP address'],
    ['a b:8080', 'has a host that is neither a name nor an IP address'],
  ])('refuses %j because it %s', (text, problem) => {
    expect(() => parseListenAddress(text)).toThrow(`${JSON.stringify(text)} ${problem}`)
  })
})
