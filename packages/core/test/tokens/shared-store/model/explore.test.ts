import { expect, test } from 'vitest'
import { type Event, explore, type Run } from './explore.ts'

/** Writers that each write their own steps, one after the other, into a part of the world, and the texts that came of it. */
function writing(writers: Readonly<Record<string, { readonly part: string; readonly steps: number }>>) {
  const ends = new Set<string>()
  const start = async (): Promise<Run> => {
    const parts = new Map<string, string>()
    const left = new Map(Object.entries(writers).map(([name, { steps }]) => [name, steps]))
    const possible = (): readonly Event[] =>
      Object.entries(writers).flatMap(([name, { part, steps }]) => {
        const rest = left.get(name) ?? 0
        return rest > 0 ? [{ id: `${name} ${steps - rest}`, touches: [name, part] }] : []
      })
    return {
      possible: async () => possible(),
      happen: async id => {
        const name = id.split(' ')[0] ?? ''
        const part = writers[name]?.part ?? ''
        parts.set(part, `${parts.get(part) ?? ''}${name}`)
        left.set(name, (left.get(name) ?? 0) - 1)
      },
      end: async isComplete => {
        if (isComplete) ends.add(JSON.stringify([...parts].sort()))
      },
    }
  }
  return { start, ends }
}

test('explores every order of events that depend on each other, once', async () => {
  const { start, ends } = writing({ a: { part: 'x', steps: 3 }, b: { part: 'x', steps: 3 } })
  expect(await explore(start)).toEqual({ runs: 20, redundant: 0 })
  expect(ends.size).toBe(20)
})

test('explores one order of events that are independent', async () => {
  const { start } = writing({ a: { part: 'x', steps: 3 }, b: { part: 'y', steps: 3 } })
  expect((await explore(start)).runs).toBe(1)
  expect((await explore(start, { isNaive: true })).runs).toBe(20)
})

test('finds the same ends with and without the reduction', async () => {
  const writers = { a: { part: 'x', steps: 2 }, b: { part: 'x', steps: 2 }, c: { part: 'y', steps: 2 } }
  const [reduced, naive] = [writing(writers), writing(writers)]
  expect((await explore(reduced.start)).runs).toBe(6)
  expect((await explore(naive.start, { isNaive: true })).runs).toBe(90)
  expect(reduced.ends).toEqual(naive.ends)
})

test('tells when a run is not the same again', async () => {
  let runs = 0
  const start = async (): Promise<Run> => {
    let isOver = false
    runs++
    const names = runs === 1 ? ['a', 'b'] : ['a', 'c']
    return {
      possible: async () => (isOver ? [] : names.map(id => ({ id, touches: ['x'] }))),
      happen: async () => {
        isOver = true
      },
      end: async () => {},
    }
  }
  await expect(explore(start)).rejects.toThrow('the run is not the same again: a, b became a, c')
})
