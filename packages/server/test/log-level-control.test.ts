import { pino } from 'pino'
import { expect, test } from 'vitest'
import { LogLevelControl } from '../src/log-level-control.ts'

/** A control whose timer runs when the test says so, and the lines that it wrote. */
function startControl(level: string) {
  const lines: { logLevel?: string; previous?: string; by?: string }[] = []
  const logger = pino({ level, base: null }, { write: line => void lines.push(JSON.parse(line)) })
  const timers = new Map<() => void, number>()
  let changes = 0
  const control = new LogLevelControl({
    logger,
    onChange: () => changes++,
    schedule: (run, delayMs) => {
      timers.set(run, delayMs)
      return { cancel: () => timers.delete(run) }
    },
  })
  return {
    control,
    lines,
    timers,
    changes: () => changes,
    tenMinutesPass() {
      for (const run of [...timers.keys()]) {
        timers.delete(run)
        run()
      }
    },
  }
}

test('a signal turns DEBUG on for ten minutes; then the level is what it was', () => {
  const { control, lines, timers, tenMinutesPass, changes } = startControl('error')
  control.debugForTenMinutes()
  expect(control.name).toBe('DEBUG')
  expect([...timers.values()]).toEqual([600_000])
  tenMinutesPass()
  expect(control.name).toBe('ERROR')
  expect(changes()).toBe(2)
  expect(lines).toMatchObject([
    { logLevel: 'DEBUG', previous: 'ERROR', by: 'signal', forMs: 600_000 },
    { logLevel: 'ERROR', previous: 'DEBUG', by: 'signal ended' },
  ])
})

test('a second signal starts the ten minutes again, and the first ones do not end it', () => {
  const { control, timers, tenMinutesPass } = startControl('info')
  control.debugForTenMinutes()
  control.debugForTenMinutes()
  expect(timers.size).toBe(1)
  tenMinutesPass()
  expect(control.name).toBe('INFO')
})

test.each(['admin', 'reload'] as const)('a level by %s ends the DEBUG of a signal, and stays', by => {
  const { control, timers, lines } = startControl('info')
  control.debugForTenMinutes()
  control.set('warn', by)
  expect(control.name).toBe('WARN')
  expect(timers.size).toBe(0)
  expect(lines.at(-1)).toMatchObject({ logLevel: 'WARN', previous: 'DEBUG', by })
})

test('a signal returns to the level that somebody set meanwhile, and takes nothing away from a lower one', () => {
  const set = startControl('info')
  set.control.set('warn', 'admin')
  set.control.debugForTenMinutes()
  set.tenMinutesPass()
  expect(set.control.name).toBe('WARN')
  const trace = startControl('trace')
  trace.control.debugForTenMinutes()
  expect(trace.control.name).toBe('DEBUG-4')
})
