import type { SettingResult } from '../bench-result.ts'
import { ratio, withSpread } from '../publish/markdown-table.ts'

/** The figures of a setting as text: CPU time, ratio to the first setting, checks per second, spans per 100 checks. */
export function settingCells({
  title,
  cpuMicrosPerCheck,
  ratio: toBaseline,
  checksPerSecond,
  spansPerCheck,
}: SettingResult): string[] {
  return [
    title,
    withSpread(cpuMicrosPerCheck, 1),
    ratio(toBaseline),
    checksPerSecond.median.toFixed(0),
    (spansPerCheck * 100).toFixed(1),
  ]
}
