import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
const suites = readdirSync(new URL('.', import.meta.url)).filter(
  file => file.endsWith('.test.ts') && file !== 'page.test.ts',
)
const titles = suites.flatMap(file => {
  const source = readFileSync(new URL(file, import.meta.url), 'utf8')
  return [...source.matchAll(/^ {2}test\((['"])(.+)\1,/gm)].map(([, , title]) => title)
})

/** The column `Cause` of every table, without code marks. */
const causes = page
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
  .map(line => line.split(' | ').at(-2)?.replaceAll('`', ''))
  .filter(cause => cause !== 'Cause')

test('every test of a fault has one row in docs/troubleshooting.md, and every row its test', () => {
  expect(titles.length).toBeGreaterThan(30)
  expect(causes.toSorted()).toEqual(titles.toSorted())
})
