import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HeapEntry, IndexedHeap } from '../../src/tokens/cache/indexed-heap.ts'

interface Expiring extends HeapEntry {
  readonly endsAt: number
}

class Entry implements Expiring {
  heapIndex = -1
  endsAt: number

  constructor(endsAt: number) {
    this.endsAt = endsAt
  }
}

function endsSooner(a: Expiring, b: Expiring): boolean {
  return a.endsAt < b.endsAt
}

test('the soonest is always on top, after any adding, removing and changing', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ remove: fc.nat() }),
      fc.record({ change: fc.nat(), to: fc.integer({ min: 0, max: 20 }) }),
    ),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, steps => {
      const heap = new IndexedHeap<Entry>(endsSooner)
      const model: Entry[] = []
      for (const step of steps) {
        if ('add' in step) {
          const entry = new Entry(step.add)
          heap.add(entry)
          model.push(entry)
        } else if (model.length > 0 && 'change' in step) {
          const entry = model[step.change % model.length] as Entry
          entry.endsAt = step.to
          heap.update(entry)
        } else if (model.length > 0 && 'remove' in step) {
          const [entry] = model.splice(step.remove % model.length, 1)
          heap.remove(entry as Entry)
        }
        const soonest = model.length === 0 ? undefined : Math.min(...model.map(entry => entry.endsAt))
        expect(heap.first?.endsAt).toBe(soonest)
        expect(heap.size).toBe(model.length)
        expect(new Set(model.map(entry => entry.heapIndex)).size).toBe(model.length)
      }
    }),
    { numRuns: 300 },
  )
})

test('taking the top again and again gives all entries in order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true })), times => {
      const heap = new IndexedHeap<Entry>(endsSooner)
      for (const time of times) heap.add(new Entry(time))
      const taken: number[] = []
      for (let top = heap.first; top !== undefined; top = heap.first) {
        taken.push(top.endsAt)
        heap.remove(top)
      }
      expect(taken.map(Number)).toEqual([...times].sort((a, b) => a - b))
    }),
  )
})

test('with 65,536 entries an eviction and an insertion compare some dozens, not thousands', () => {
  let reads = 0
  const counting = (time: number): Expiring => ({
    heapIndex: -1,
    get endsAt() {
      reads++
      return time
    },
  })
  const heap = new IndexedHeap<Expiring>(endsSooner)
  for (let index = 0; index < 65_536; index++) heap.add(counting((index * 7919) % 65_537))
  let most = 0
  for (let round = 0; round < 1_000; round++) {
    reads = 0
    heap.remove(heap.first as Expiring)
    heap.add(counting(100_000 + round))
    most = Math.max(most, reads)
  }
  // Three reads for each of 17 levels down, two for each level up.
  expect(most).toBeLessThan(6 * 17)
})
