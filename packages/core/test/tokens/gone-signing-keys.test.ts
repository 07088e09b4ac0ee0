import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BearerToken } from '../../src/tokens/bearer-token.ts'
import { RefreshSchedule } from '../../src/tokens/cache/refresh-schedule.ts'
import { type CachedToken, TokenCache } from '../../src/tokens/cache/token-cache.ts'
import type { SigningKey } from '../../src/tokens/signing-key.ts'
import { TokenHeaders } from '../../src/tokens/token-headers.ts'
import { ManualClock } from '../manual-clock.ts'

const clock = new ManualClock()
const until = clock.monotonic() + 60_000
const life = {
  expiresAt: clock.wall() + 60_000,
  from: 0,
  livesUntil: until,
  usableUntil: until,
  staleUntil: until,
}

function tokenSignedWith(signingKey: SigningKey | undefined): CachedToken {
  const response = { accessToken: 'a', expiresIn: undefined, answeredAt: undefined, fields: {} }
  const tokenHeaders = new TokenHeaders('authorization', [])
  const token = new BearerToken({ response, life, key: 'a', clock, tokenHeaders })
  const refresh = new RefreshSchedule(
    { aheadRatio: 1, clock, random: Math.random },
    { from: 0, until: 60_000 },
  )
  return { token, life, refresh, mark: undefined, signingKey }
}

/** New objects each time: the same key does not need to be the same object. */
const signingKeys = fc.option(
  fc.record({ issuer: fc.constantFrom('https://a', 'https://b'), kid: fc.constantFrom('1', '2', '3') }),
  { nil: undefined },
)
const steps = fc.oneof(
  fc.record({ set: fc.nat({ max: 20 }), signingKey: signingKeys }),
  fc.record({ delete: fc.nat({ max: 20 }) }),
  fc.record({ resize: fc.integer({ min: 30, max: 40 }) }),
  fc.record({ gone: fc.subarray(['1', '2', '3']), issuer: fc.constantFrom('https://a', 'https://b') }),
)

test('tokens whose signing key is gone leave the cache, and no others, whatever came and went before', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), all => {
      const cache = new TokenCache(30, clock)
      const model = new Map<string, SigningKey | undefined>()
      for (const step of all) {
        if ('set' in step) {
          const key = `key-${step.set}`
          cache.set({ key, ownerKey: `owner-of-${key}` }, tokenSignedWith(step.signingKey))
          model.set(key, step.signingKey)
        } else if ('delete' in step) {
          cache.delete(`key-${step.delete}`)
          model.delete(`key-${step.delete}`)
        } else if ('resize' in step) cache.resize(step.resize)
        else {
          const { issuer, gone } = step
          const leaving = [...model].filter(([, key]) => key?.issuer === issuer && gone.includes(key.kid))
          expect(cache.deleteSignedBy(issuer, new Set(gone))).toHaveLength(leaving.length)
          for (const [key] of leaving) model.delete(key)
        }
        expect(cache.size).toBe(model.size)
        for (const [key, signingKey] of model) expect(cache.find(key)?.signingKey).toEqual(signingKey)
      }
    }),
  )
})
