import { expect, test } from 'vitest'
import { objectDifferences } from './object-differences.ts'

test('a changed value, a missing field and an added entry are differences, each with its path', () => {
  const env = [{ name: 'A', value: '1' }, { name: 'B' }]
  expect(objectDifferences({ env, uid: 1 }, { env: [{ name: 'B' }, { name: 'A', value: '2' }] })).toEqual([
    'env.A.value: "1" -> "2"',
    'uid: 1 -> nothing',
  ])
  expect(objectDifferences({ env }, { env: [...env, { name: 'C' }] })).toEqual(['env.C: nothing -> {}'])
})

test('a list without names is compared as a whole, in its order', () => {
  expect(objectDifferences({ drop: ['A', 'B'] }, { drop: ['B', 'A'] })).toEqual([
    'drop: ["A","B"] -> ["B","A"]',
  ])
  expect(objectDifferences({ drop: ['A'] }, { drop: ['A'] })).toEqual([])
})
