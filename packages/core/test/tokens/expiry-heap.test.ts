import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExpiryHeap, type HeapEntry } from '../../src/tokens/cache/expiry-heap.ts'

class Entry implements HeapEntry {
  heapIndex = -1
  readonly endsAt: number

  constructor(endsAt: number) {
    this.endsAt = endsAt
  }
}

test('the soonest is always on top, after any adding and removing', () => {
  const steps = fc.array(
    fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 20 }) }), fc.record({ remove: fc.nat() })),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, steps => {
      const heap = new ExpiryHeap<Entry>()
      const model: Entry[] = []
      for (const step of steps) {
        if ('add' in step) {
          const entry = new Entry(step.add)
          heap.add(entry)
          model.push(entry)
        } else if (model.length > 0) {
          const [entry] = model.splice(step.remove % model.length, 1)
          heap.remove(entry as Entry)
        }
        const soonest = model.length === 0 ? undefined : Math.min(...model.map(entry => entry.endsAt))
        expect(heap.soonest?.endsAt).toBe(soonest)
        expect(new Set(model.map(entry => entry.heapIndex)).size).toBe(model.length)
      }
    }),
    { numRuns: 300 },
  )
})

test('taking the top again and again gives all entries in order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true })), times => {
      const heap = new ExpiryHeap<Entry>()
      for (const time of times) heap.add(new Entry(time))
      const taken: number[] = []
      for (let top = heap.soonest; top !== undefined; top = heap.soonest) {
        taken.push(top.endsAt)
        heap.remove(top)
      }
      expect(taken.map(Number)).toEqual([...times].sort((a, b) => a - b))
    }),
  )
})

test('with 65,536 entries an eviction and an insertion compare some dozens, not thousands', () => {
  let reads = 0
  const counting = (time: number): HeapEntry => ({
    heapIndex: -1,
    get endsAt() {
      reads++
      return time
    },
  })
  const heap = new ExpiryHeap<HeapEntry>()
  for (let index = 0; index < 65_536; index++) heap.add(counting((index * 7919) % 65_537))
  let most = 0
  for (let round = 0; round < 1_000; round++) {
    reads = 0
    heap.remove(heap.soonest as HeapEntry)
    heap.add(counting(100_000 + round))
    most = Math.max(most, reads)
  }
  // Three reads for each of 17 levels down, two for each level up.
  expect(most).toBeLessThan(6 * 17)
})
