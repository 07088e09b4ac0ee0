import { expect, test } from 'vitest'
import { signingKeyOf } from '../../src/tokens/signing-key.ts'

function tokenOf(issuer: string, kid: string, subject: string): string {
  const parts = [
    { alg: 'RS256', kid },
    { iss: issuer, sub: subject },
  ].map(part => JSON.stringify(part))
  return [...parts, 's'].map(part => Buffer.from(part).toString('base64url')).join('.')
}

test('the tokens of a key share one object for it, also when two issuers with the same key id take turns', () => {
  const first = signingKeyOf(tokenOf('https://a', '1', 'x'))
  const other = signingKeyOf(tokenOf('https://b', '1', 'x'))
  expect(other).toEqual({ issuer: 'https://b', kid: '1' })
  expect(signingKeyOf(tokenOf('https://a', '1', 'y'))).toBe(first)
  expect(signingKeyOf(tokenOf('https://b', '1', 'y'))).toBe(other)
})
