import { expect, test } from 'vitest'
import { RecentLines } from '../../src/recent-lines.ts'

const time = (second: number) => new Date(second * 1_000).toISOString()
const line = (fields: object) =>
  `${JSON.stringify({ level: 'warn', time: time(1), msg: 'failed', ...fields })}\n`

test('lines that say the same are one, with their number, first and last time', () => {
  const lines = new RecentLines()
  lines.see(line({ hint: 'repair it', time: time(1) }))
  lines.see(line({ msg: 'other', time: time(2) }))
  lines.see(line({ hint: 'repair it', time: time(3), count: 9 }))
  expect(lines.list()).toMatchObject([
    { message: 'failed', hint: 'repair it', count: 10, firstAt: 1_000, lastAt: 3_000 },
    { message: 'other', count: 1 },
  ])
})

test('only lines at WARN and above are kept', () => {
  const lines = new RecentLines()
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    lines.see(line({ level, msg: level }))
  expect(lines.list().map(({ message }) => message)).toEqual(['fatal', 'error', 'warn'])
})

test('the last 50 are kept, each with short texts', () => {
  const lines = new RecentLines()
  for (let number = 1; number <= 60; number++) lines.see(line({ msg: `${number} ${'x'.repeat(5_000)}` }))
  const kept = lines.list()
  expect(kept.length).toBe(50)
  expect(kept.at(-1)?.message).toMatch(/^11 x+$/)
  expect(kept[0]?.message.length).toBe(600)
})

test('nothing about callers and requests is kept', () => {
  const lines = new RecentLines()
  const about = {
    clientId: 'stranger',
    sub: 'stranger',
    iss: 'stranger',
    request_id: 'stranger',
    scope: 'stranger',
  }
  lines.see(line({ ...about, err: { message: 'stranger', stack: 'stranger' }, code: 'invalid_token' }))
  expect(JSON.stringify(lines.list())).not.toContain('stranger')
})
