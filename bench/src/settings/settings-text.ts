import type { SettingsResult } from '../bench-result.ts'
import { settingCells } from './setting-cells.ts'

/** A line for each setting. */
export function settingsText({ groups }: SettingsResult): string {
  return groups
    .map(({ title, settings }) => {
      const rows = settings.map(settingCells)
      const widths = (rows[0] ?? []).map((_, column) =>
        Math.max(...rows.map(cells => cells[column]?.length ?? 0)),
      )
      const lines = rows.map(cells =>
        cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '),
      )
      return [title, ...lines.map(line => `  ${line.trimEnd()}`)].join('\n')
    })
    .join('\n')
}
