import fc from 'fast-check'
import { expect, test } from 'vitest'
import { comparableHost, listedHost } from '../../src/terraform/comparable-host.ts'

test.each([
  ['registry.example.com', 'registry.example.com'],
  ['Registry.Example.com:443', 'registry.example.com'],
  ['127.0.0.1:48443', '127.0.0.1:48443'],
  ['xn--caf-dma.fr', 'xn--caf-dma.fr'],
  ['café.fr', undefined],
  // The sign for kelvin is a k in lower case.
  ['registry.example.com\u{212a}', undefined],
  ['registry.example.com:0443', undefined],
  ['registry.example.com:65536', undefined],
  ['registry.example.com:', undefined],
  ['[::1]:443', undefined],
  ['', undefined],
])('%j is compared as %j', (text, host) => {
  expect(comparableHost(text)).toBe(host)
})

test('two hosts are the same only if they differ in nothing but case and the default port', () => {
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'A', '.', ':', '4', '3', '-', 'é', '\u{212a}', '\n', '/') }),
    fc.domain(),
    fc.string({ unit: 'grapheme' }),
  )
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const [first, second] = [comparableHost(one), comparableHost(other)]
      if (first === undefined || first !== second) return
      const plain = (text: string) => text.toLowerCase().replace(/:443$/, '')
      expect(plain(one)).toBe(plain(other))
    }),
  )
})

test('a compared host is compared as itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.string()), text => {
      const host = comparableHost(text)
      if (host !== undefined) expect(comparableHost(host)).toBe(host)
    }),
  )
})

test.each([
  ['café.fr:8443', 'xn--caf-dma.fr:8443'],
  ['CAFÉ.fr', 'xn--caf-dma.fr'],
])('an entry for %j is for %j', (text, host) => {
  expect(listedHost(text)).toBe(host)
})

test.each([
  ['https://registry.example.com', 'is a URL'],
  ['registry.example.com/v1', 'has a path'],
  ['*.example.com', 'has a *'],
  ['registry example com', 'is not a host with an optional port'],
])('an entry for %j is refused', (text, problem) => {
  expect(() => listedHost(text)).toThrow(problem)
})
