import { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLogger, droppedLines } from '../src/create-logger.ts'

/** A logger, and the messages of each write to its output. */
async function startLogger() {
  const writes: string[][] = []
  const output = new Writable({
    write(chunk, _, done) {
      const lines = String(chunk).trimEnd().split('\n')
      writes.push(lines.map(line => (JSON.parse(line) as { msg: string }).msg))
      done()
    },
  })
  return { writes, logger: await createLogger({ logLevel: 'info', logFormat: 'json' }, output) }
}

test('lines of one turn are written together after the first, in their order', async () => {
  const { writes, logger } = await startLogger()
  for (const message of ['a', 'b', 'c']) logger.info(message)
  expect(writes).toEqual([['a']])
  await nextTurn()
  expect(writes).toEqual([['a'], ['b', 'c']])
  logger.info('d')
  expect(writes.at(-1)).toEqual(['d'])
})

test('a line at WARN is written at once, after the lines before it', async () => {
  const { writes, logger } = await startLogger()
  logger.info('a')
  logger.info('b')
  logger.warn('c')
  logger.info('d')
  expect(writes).toEqual([['a'], ['b', 'c']])
  await nextTurn()
  expect(writes).toEqual([['a'], ['b', 'c'], ['d']])
})

test('lines that are held count as waiting, and more than a mebibyte of them is dropped', async () => {
  const { writes, logger } = await startLogger()
  const message = 'x'.repeat(100_000)
  for (let count = 0; count < 20; count++) logger.info(message)
  expect(droppedLines(logger)).toBeGreaterThan(5)
  await nextTurn()
  const written = writes.flat().length
  expect(written + droppedLines(logger)).toBe(20)
  logger.info('a')
  expect(writes.at(-1)).toEqual(['log lines dropped: the reader of the log was too slow', 'a'])
})
