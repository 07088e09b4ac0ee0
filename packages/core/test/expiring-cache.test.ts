import { expect, test } from 'vitest'
import { ExpiringCache } from '../src/shared/expiring-cache.ts'
import { ManualClock } from './manual-clock.ts'

// The rejections, the verified JWTs, the unknown keys and the pace of invalidations are each one of these.
test('an entry that is looked up stays, however many new ones push out the rest', () => {
  const cache = new ExpiringCache<number>({ maxEntries: 10, ttlMs: 1_000 }, new ManualClock())
  cache.set('in use', 0)
  cache.set('idle', 0)
  for (let index = 0; index < 1_000; index++) {
    cache.set(`junk-${index}`, index)
    expect(cache.get('in use')).toBe(0)
  }
  expect(cache.get('idle')).toBeUndefined()
})

test('looking an entry up does not make it count for longer', () => {
  const clock = new ManualClock()
  const cache = new ExpiringCache<number>({ maxEntries: 10, ttlMs: 1_000 }, clock)
  cache.set('in use', 0)
  clock.advance(999)
  expect(cache.get('in use')).toBe(0)
  clock.advance(1)
  expect(cache.get('in use')).toBeUndefined()
})
