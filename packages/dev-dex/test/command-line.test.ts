import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCommandLine, type Settings } from '../src/command/command-line.ts'
import { WrongArguments } from '../src/command/wrong-arguments.ts'

const options = [
  'client',
  'trusted-peer',
  'user',
  'port',
  'host',
  'issuer-path',
  'issuer',
  'token-lifetime',
  'algorithm',
]
const argument = fc.oneof(
  fc.constantFrom(
    ...options.map(name => `--${name}`),
    ...options.map(name => `--${name}=`),
    '--allow-remote',
    '-v',
  ),
  fc.constantFrom(
    'a:b',
    'a=a',
    '0',
    '5556',
    '::1',
    '127.0.0.2',
    'localhost',
    '/dex',
    'http://dex/dex',
    '1h',
    'ES256',
  ),
  fc.string(),
  fc.ipV4(),
  fc.ipV6(),
)

function settingsOf(args: readonly string[]): Settings | undefined {
  try {
    const command = readCommandLine(args)
    return command.action === 'serve' ? command.settings : undefined
  } catch (error) {
    if (error instanceof WrongArguments) return undefined
    throw error
  }
}

test('any arguments are settings within their limits, or a sentence', () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), args => {
      const settings = settingsOf(args)
      if (settings === undefined) return
      expect(settings.port).toBeGreaterThanOrEqual(0)
      expect(settings.port).toBeLessThanOrEqual(65_535)
      expect(settings.idTokensMs ?? 1).toBeGreaterThan(0)
      for (const { id, secret } of settings.clients) expect([id, secret]).not.toContain('')
    }),
  )
})

test('listens on loopback, unless --allow-remote is there', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('localhost', '127.0.0.1', '::1', '0.0.0.0', '::')),
      host => {
        const settings = settingsOf(['--host', host])
        const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && /^127\./.test(host))
        expect(settings?.hostname).toBe(isLoopback ? host : undefined)
        expect(settingsOf(['--host', host, '--allow-remote'])?.hostname).toBe(host)
      },
    ),
  )
})
