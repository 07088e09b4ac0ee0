/** A rule whose expression failed. */
export interface FailureReport {
  /** The name of the rule. */
  readonly rule: string
  /** Without values of the caller. */
  readonly problem: string
  /** The failures of the rule since its last report, which were not reported. */
  readonly suppressed: number
}

const intervalMs = 10_000

/** Reports failures, for each rule at most one in ten seconds. */
export class FailureReports {
  readonly #report: ((failure: FailureReport) => void) | undefined
  readonly #now: () => number
  readonly #rules = new Map<string, { reportedAt: number; suppressed: number }>()

  constructor(report: ((failure: FailureReport) => void) | undefined, now: () => number) {
    this.#report = report
    this.#now = now
  }

  add(rule: string, problem: string): void {
    if (this.#report === undefined) return
    const now = this.#now()
    const last = this.#rules.get(rule)
    if (last !== undefined && now - last.reportedAt < intervalMs) {
      last.suppressed += 1
      return
    }
    this.#rules.set(rule, { reportedAt: now, suppressed: 0 })
    this.#report({ rule, problem, suppressed: last?.suppressed ?? 0 })
  }
}
