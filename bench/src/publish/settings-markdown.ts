import type { BenchResult, SettingsResult } from '../bench-result.ts'
import { settingCells } from '../settings/setting-cells.ts'
import { table } from './markdown-table.ts'

/** The figures of settings, for docs/performance.md. */
export function settingsMarkdown(
  { machine, rounds, seconds, connections }: BenchResult,
  { groups }: SettingsResult,
): string {
  const rows = groups.flatMap(({ title, settings }) =>
    settings.map(setting => {
      const [name = '', ...figures] = settingCells(setting)
      return [`${title}: ${name}`, ...figures]
    }),
  )
  const head = [
    'a cached check',
    'CPU of the broker, µs: median (least-most)',
    'of the same without',
    'checks/s',
    'spans received for 100 checks',
  ]
  return [
    `${machine.cores} cores (${machine.architecture}, ${machine.platform}), Node.js ${machine.node}; ${connections} checks at a time, ${rounds} rounds of ${seconds} s each.`,
    table(head, rows),
  ].join('\n\n')
}
