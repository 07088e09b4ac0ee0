import { describe, expect, test } from 'vitest'
import { CarriedParts } from '../../src/shared/carried-parts.ts'
import { ManualClock } from '../manual-clock.ts'

const keepMs = 20_000

/** Carried parts that note how each part ends. */
function start() {
  const ends: string[] = []
  const clock = new ManualClock()
  const keep = { ms: keepMs }
  const parts = new CarriedParts(clock, () => keep.ms)
  const partOf = (name: string) => ({
    retire: () => ends.push(`${name} retired`),
    close: () => ends.push(`${name} closed`),
  })
  const adopt = (inputs: Readonly<Record<string, unknown>>) => {
    const next = parts.next()
    const taken = Object.entries(inputs).map(([name, input]) =>
      next.take('part', name, [input], () => partOf(`${name} ${input}`)),
    )
    return { taken, changes: parts.adopt(next) }
  }
  return { ends, clock, keep, parts, partOf, adopt }
}

describe('a part', () => {
  test('stays while it is made of the same values', () => {
    const { adopt, ends } = start()
    const before = adopt({ a: 1, b: 1 }).taken
    const { taken, changes } = adopt({ a: 1, b: 2, c: 1 })
    expect([taken[0] === before[0], taken[1] === before[1]]).toEqual([true, false])
    expect(changes).toEqual({ renewed: ['part b'], added: ['part c'], removed: [] })
    expect(ends).toEqual(['b 1 retired'])
  })

  test('that nobody takes is retired, and not closed while somebody can wait for it', () => {
    const { adopt, ends, parts, clock } = start()
    adopt({ a: 1, b: 1 })
    expect(adopt({ b: 1 }).changes).toEqual({ renewed: [], added: [], removed: ['part a'] })
    clock.advance(keepMs - 1)
    adopt({ b: 1 })
    expect(ends).toEqual(['a 1 retired'])
    parts.close()
    expect(ends).toEqual(['a 1 retired', 'b 1 retired', 'b 1 closed', 'a 1 closed'])
  })

  test('is kept for the time that was long enough when it was retired', () => {
    const { adopt, ends, keep, parts, clock } = start()
    adopt({ a: 1 })
    adopt({})
    keep.ms = 1
    clock.advance(keepMs - 1)
    adopt({})
    parts.close()
    expect(ends).toEqual(['a 1 retired', 'a 1 closed'])
  })

  test('that was retired long ago is forgotten', () => {
    const { adopt, ends, parts, clock } = start()
    adopt({ a: 1 })
    adopt({})
    clock.advance(keepMs)
    adopt({})
    parts.close()
    expect(ends).toEqual(['a 1 retired'])
  })

  test('that was not adopted ends alone', () => {
    const { adopt, ends, parts, partOf } = start()
    const [before] = adopt({ a: 1 }).taken
    const next = parts.next()
    expect(next.take('part', 'a', [1], () => partOf('a again'))).toBe(before)
    next.take('part', 'b', [1], () => partOf('b 1'))
    next.discard()
    expect(ends).toEqual(['b 1 retired', 'b 1 closed'])
    expect(adopt({ a: 1 }).taken).toEqual([before])
  })

  test('gets its settings when it is adopted, and not before', () => {
    const { parts } = start()
    const settings: string[] = []
    const refused = parts.next()
    refused.atSwap(() => settings.push('refused'))
    refused.discard()
    const next = parts.next()
    next.atSwap(() => settings.push('adopted'))
    expect(settings).toEqual([])
    parts.adopt(next)
    expect(settings).toEqual(['adopted'])
  })
})
