import { describe, expect, it } from 'vitest'
import { parseGoBoolean } from '../../../src/config/values/go-boolean.ts'
import { parseGoInteger } from '../../../src/config/values/go-integer.ts'
import { formatLogLevel, parseLogLevel } from '../../../src/config/values/log-level.ts'

describe('parseGoBoolean', () => {
  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('reads %j as true', text => {
    expect(parseGoBoolean(text)).toBe(true)
  })

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('reads %j as false', text => {
    expect(parseGoBoolean(text)).toBe(false)
  })

  it.each(['', 'yes', 'no', 'on', 'off', 'tRUE', ' true', '2', 'constructor'])('refuses %j', text => {
    expect(parseGoBoolean(text)).toBeUndefined()
  })
})

describe('parseGoInteger', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['+7', 7],
    ['-1', -1],
    ['007', 7],
  ])('reads %j as %d', (text, value) => {
    expect(parseGoInteger(text)).toBe(value)
  })

  it.each(['', '1_000', '0x10', '1.0', '1e3', ' 1', '+', '--1', 'NaN'])('refuses %j', text => {
    expect(parseGoInteger(text)).toBeUndefined()
  })
})

describe('parseLogLevel', () => {
  it.each([
    ['DEBUG', 'debug'],
    ['info', 'info'],
    ['Warn', 'warn'],
    ['ERROR', 'error'],
    ['INFO+2', 'warn'],
    ['INFO-1', 'info'],
    ['info-4', 'debug'],
    ['DEBUG-4', 'trace'],
    ['DEBUG-1', 'debug'],
    ['DEBUG-99', 'trace'],
    ['ERROR+1', 'fatal'],
    ['ERROR+99', 'silent'],
  ])('reads %j as %s', (text, level) => {
    expect(parseLogLevel(text)).toBe(level)
  })

  it.each(['', 'WARNING', 'trace', 'INFO+', 'INFO 2', 'INFO+x', 'warn+-1', 'INFO + 2', '4', 'constructor'])(
    'refuses %j as Go does',
    text => {
      expect(parseLogLevel(text)).toBeUndefined()
    },
  )

  it.each(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const)('reads %s back', level => {
    expect(parseLogLevel(formatLogLevel(level))).toBe(level)
  })
})
