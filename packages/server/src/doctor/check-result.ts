/** How a check ended. A warning does not fail the command. */
export type CheckVerdict = 'ok' | 'warning' | 'failed' | 'skipped'

/** The result of one check. Never contains a secret or a token. */
export interface CheckResult {
  /** The thing that was checked, in a few words; unique within its group. */
  readonly name: string
  readonly verdict: CheckVerdict
  /** The finding. */
  readonly fact: string
  /** An instruction for the operator; for warnings and failures. */
  readonly advice?: string | undefined
}

/** Receives the results of a check, in their order. */
export type Report = (result: CheckResult) => void

export function ok(name: string, fact: string): CheckResult {
  return { name, verdict: 'ok', fact }
}

export function warning(name: string, fact: string, advice?: string): CheckResult {
  return { name, verdict: 'warning', fact, advice }
}

export function failed(name: string, fact: string, advice?: string): CheckResult {
  return { name, verdict: 'failed', fact, advice }
}

export function skipped(name: string, fact: string): CheckResult {
  return { name, verdict: 'skipped', fact }
}
