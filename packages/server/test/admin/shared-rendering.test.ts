import { expect, test } from 'vitest'
import { SharedRendering } from '../../src/admin/shared-rendering.ts'

function countingRendering() {
  const clock = { now: 0 }
  let rendered = 0
  const rendering = new SharedRendering(
    async () => `text ${++rendered}`,
    () => clock.now,
  )
  return { clock, rendering, renderedSoFar: () => rendered }
}

test('requests that arrive during a rendering share it', async () => {
  const { rendering, renderedSoFar } = countingRendering()
  expect(await Promise.all(Array.from({ length: 1_000 }, () => rendering.text()))).toEqual(
    Array(1_000).fill('text 1'),
  )
  expect(renderedSoFar()).toBe(1)
})

test('requests one after the other are fresh, up to fifty in a second; then the last one is repeated', async () => {
  const { clock, rendering } = countingRendering()
  const texts: string[] = []
  for (let request = 0; request < 200; request++) texts.push(await rendering.text())
  expect(texts.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, index) => `text ${index + 1}`))
  expect(new Set(texts.slice(50))).toEqual(new Set(['text 50']))
  clock.now = 1_000
  expect(await rendering.text()).toBe('text 51')
})

test('a rendering that fails is not repeated for ever', async () => {
  let fails = true
  const clock = { now: 0 }
  const rendering = new SharedRendering(
    async () => {
      if (fails) throw new Error('no text')
      return 'text'
    },
    () => clock.now,
  )
  await expect(rendering.text()).rejects.toThrow('no text')
  fails = false
  expect(await rendering.text()).toBe('text')
})
