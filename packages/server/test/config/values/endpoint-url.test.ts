import { isExposedUrl } from '@broker/core/options'
import { describe, expect, it } from 'vitest'
import { parseEndpointUrl } from '../../../src/config/values/endpoint-url.ts'

describe('parseEndpointUrl', () => {
  it.each([
    'https://dex.example.com/token',
    'http://localhost:5556/dex/token?x=1',
    'HTTPS://dex/a@b',
    'https://[::1]:1/',
  ])('accepts %j', text => {
    expect(parseEndpointUrl(text).href).toBe(new URL(text).href)
  })

  it.each([
    ['dex.example.com/token', 'does not start with https:// or http://'],
    ['ftp://dex/token', 'does not start with https:// or http://'],
    ['https:dex/token', 'does not start with https:// or http://'],
    ['https:///token', 'has no host'],
    ['https://:443/token', 'has no host'],
    ['https://dex/token#x', 'has a fragment'],
    ['https://dex/token#', 'has a fragment'],
    ['https://dex/token\n', 'contains a blank, a line break or a backslash'],
    [' https://dex/token', 'contains a blank, a line break or a backslash'],
    ['https:\\\\dex\\token', 'contains a blank, a line break or a backslash'],
    ['https://dex:99999/token', 'is not a URL'],
    ['https://[::1/token', 'is not a URL'],
  ])('refuses %j because it %s', (text, problem) => {
    expect(() => parseEndpointUrl(text)).toThrow(`${JSON.stringify(text)} ${problem}`)
  })

  it.each(['https://user:hunter2@dex/token', 'https://@dex/token', 'ftp://user:hunter2@dex/'])(
    'refuses %j for its user information, without repeating it',
    text => {
      expect(() => parseEndpointUrl(text)).toThrow(/^contains user information \(user:password@\)/)
    },
  )

  it.each([
    'https:\\\\user:hunter2@dex\\token',
    'https:/user:hunter2@dex/token',
    'user:hunter2@dex/token',
    'https:user:hunter2@dex',
    ' https://user:hunter2@dex/token',
    'https:///dex/token?key=hunter2',
    'dex/token?key=hunter2',
    'https://dex/token?key=hunter2#x',
    'https://dex:99999/token?key=hunter2',
  ])('refuses %j without repeating the password or the query', text => {
    expect(() => parseEndpointUrl(text)).toThrow(/^(?!.*hunter2)./)
  })
})

describe('isExposedUrl', () => {
  it.each([
    'https://dex/',
    'http://localhost/',
    'http://127.0.0.1:5556/',
    'http://127.8.9.1/',
    'http://[::1]/',
    'http://LOCALHOST/',
  ])('lets %j pass', text => {
    expect(isExposedUrl(new URL(text))).toBe(false)
  })

  it.each([
    'http://dex/',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://10.0.0.1/',
    'http://128.0.0.1/',
  ])('catches %j', text => {
    expect(isExposedUrl(new URL(text))).toBe(true)
  })
})
