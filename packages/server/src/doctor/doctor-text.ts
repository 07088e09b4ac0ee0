import { printable } from '../printable.ts'
import type { FinishedGroup } from './check-group.ts'
import type { CheckResult, CheckVerdict } from './check-result.ts'

/** The words of verdicts have one width, so that facts stand below each other. */
const markWidth = 9
/** SGR codes: green, yellow, red, grey. */
const colours: Readonly<Record<CheckVerdict, number>> = { ok: 32, warning: 33, failed: 31, skipped: 90 }

/** Describes a group for a terminal: one line per check, and below it what to do; ends with an empty line. */
export function groupText(
  { title, results }: FinishedGroup,
  { hasColours }: { readonly hasColours: boolean },
): string {
  const width = Math.max(...results.map(({ name }) => name.length)) + 2
  const lines = results.flatMap(({ name, verdict, fact, advice }) => {
    const mark = verdict.padEnd(markWidth)
    const shown = hasColours ? `\u{1b}[${colours[verdict]}m${mark}\u{1b}[0m` : mark
    const line = `  ${shown}${printable(name.padEnd(width))}${printable(fact)}`
    return advice === undefined ? [line] : [line, `${' '.repeat(2 + markWidth)}-> ${printable(advice)}`]
  })
  return `${[printable(title), ...lines].join('\n')}\n\n`
}

/** The last line: how many checks had which verdict. */
export function summaryText(results: readonly CheckResult[]): string {
  const count = (verdict: CheckVerdict) => results.filter(each => each.verdict === verdict).length
  const [failures, warnings, passed, left] = [
    count('failed'),
    count('warning'),
    count('ok'),
    count('skipped'),
  ]
  const rest = `${counted(warnings, 'warning')}, ${passed} passed, ${left} skipped`
  return failures === 0 ? `No check failed: ${rest}.` : `${counted(failures, 'check')} failed: ${rest}.`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
