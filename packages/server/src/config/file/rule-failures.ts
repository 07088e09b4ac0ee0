import type { FailureReport } from '../../rules/failure-reports.ts'

/** The rules are compiled before there is a log; this passes on what they report later. */
export class RuleFailures {
  /** Receives expressions that failed. */
  listener: ((failure: FailureReport) => void) | undefined

  readonly report = (failure: FailureReport): void => this.listener?.(failure)
}
