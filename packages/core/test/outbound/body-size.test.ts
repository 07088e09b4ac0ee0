import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { bodySize } from '../../src/outbound/request-body.ts'

const form = new FormData()
form.set('ab', 'ü')
form.set('file', new File(['four'], 'a.txt'))

/** The package form-data bears the name, and is a stream that can be read once. */
class FormDataOfThePackage extends Readable {
  get [Symbol.toStringTag](): string {
    return 'FormData'
  }
}

test.each<[string, unknown, number | undefined]>([
  ['nothing', undefined, 0],
  ['null', null, 0],
  ['a string', 'grüße', 7],
  ['a view', new DataView(new ArrayBuffer(10), 2, 3), 3],
  ['an ArrayBuffer', new ArrayBuffer(4), 4],
  ['parameters', new URLSearchParams({ a: 'b c' }), 5],
  ['a Blob', new Blob(['blob']), 4],
  ['a form', form, 12],
  ['a stream', new Blob(['x']).stream(), undefined],
  ['a stream of Node', Readable.from(['x']), undefined],
  ['a form of the package form-data', new FormDataOfThePackage(), undefined],
  ['an object', {}, undefined],
  ['a function', () => {}, undefined],
])('the size of %s', (_, body, size) => {
  expect(bodySize(body)).toBe(size)
})
