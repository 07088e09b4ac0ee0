import type { ContenderResult } from '../bench-result.ts'
import type { Summary } from '../statistics.ts'

const mib = 1024 * 1024

/** A table in Markdown: the first column is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** Microseconds per check, with their spread. */
export function cpu(result: ContenderResult | undefined): string {
  return result === undefined ? '–' : withSpread(result.cpuMicrosPerCheck, 1)
}

export function ratio(summary: Summary | undefined): string {
  return summary === undefined ? '–' : withSpread(summary, 2)
}

export function withSpread({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

export function mebibytes(bytes: number): string {
  return (bytes / mib).toFixed(0)
}

/** A part of one as a percentage. */
export function share(value: number): string {
  return `${(value * 100).toFixed(0)} %`
}
