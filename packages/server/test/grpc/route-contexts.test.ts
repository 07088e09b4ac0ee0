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
