import { expect, test } from 'vitest'
import { RouteContexts } from '../../src/grpc/route-contexts.ts'

test('two routes never share a context, although one entry of the second reads like all entries of the first', () => {
  const contexts = new RouteContexts()
  // As one entry, "14,14:" and what follows are two fields that are passed over: eight bytes, and then text up to the end.
  const entries = ['Kz\x17aaaaaaa', 'bbbbbbbbbb'].map(key => `\n\n${key}\x12\0`)
  expect({ ...contexts.of([`14,14:${entries.join('')}`]) }).toEqual({ '': '' })
  expect(contexts.of(entries)).toEqual({ 'Kz\x17aaaaaaa': '', bbbbbbbbbb: '' })
  expect(contexts.of(entries)).toBe(contexts.of(entries))
})

/** An entry of a context, as Latin-1. */
const entry = (key: string, value: string) =>
  `\n${String.fromCharCode(key.length)}${key}\x12${String.fromCharCode(value.length)}${value}`

test('contexts that were made up do not keep those of real routes from being remembered', () => {
  const contexts = new RouteContexts()
  for (let index = 0; index < 2_500; index++) contexts.of([entry('made-up', String(index))])
  const route = [entry('client', 'orders')]
  expect(contexts.of(route)).toBe(contexts.of(route))
  expect({ ...contexts.of(route) }).toEqual({ client: 'orders' })
})

test('a context with more than 256 entries is refused', () => {
  const contexts = new RouteContexts()
  const entries = Array.from({ length: 257 }, (_, index) => entry(String(index), 'x'))
  expect(Object.keys(contexts.of(entries.slice(1)))).toHaveLength(256)
  expect(() => contexts.of(entries)).toThrow('the context of the route has too many entries')
})
