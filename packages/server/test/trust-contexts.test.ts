import { createCertificateAuthority } from '@broker/testing'
import { expect, test } from 'vitest'
import { TrustContexts } from '../src/trust-contexts.ts'

test('equal certificates share one context, because each takes a megabyte', () => {
  const contexts = new TrustContexts()
  const [one, other] = [createCertificateAuthority().cert, createCertificateAuthority().cert]
  const ofOne = contexts.contextOf(one)
  const ofNone = contexts.contextOf()
  expect(contexts.contextOf(one)).toBe(ofOne)
  expect(contexts.contextOf(undefined)).toBe(ofNone)
  expect(contexts.contextOf(other)).not.toBe(ofOne)
  expect(ofOne).not.toBe(ofNone)
})
