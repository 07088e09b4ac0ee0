import { execFile } from 'node:child_process'
import { brokerCommand } from '@broker/testing'

/** A line of `doctor`, with the heading that it stands below. */
export interface DoctorResult {
  readonly group: string
  readonly name: string
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly fact: string
  readonly advice?: string
}

/** The result of a run of `doctor`. */
export interface DoctorReport {
  readonly code: number
  readonly output: string
  readonly results: readonly DoctorResult[]
  /** The results that need somebody, failures first. */
  readonly findings: readonly DoctorResult[]
}

type Environment = Readonly<Record<string, string>>

/** Runs the built command `doctor` with these variables and no others; on free ports where they name none. */
export async function doctorReport(
  environment: Environment,
  args: readonly string[] = [],
): Promise<DoctorReport> {
  const env = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...environment }
  const { code, output } = await new Promise<{ code: number; output: string }>(resolve => {
    execFile(process.execPath, [brokerCommand, 'doctor', '--json', ...args], { env }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout }),
    )
  })
  const { groups } = JSON.parse(output) as {
    groups: { title: string; results: Omit<DoctorResult, 'group'>[] }[]
  }
  const results = groups.flatMap(({ title, results: of }) => of.map(each => ({ group: title, ...each })))
  const having = (wanted: DoctorResult['verdict']) => results.filter(({ verdict }) => verdict === wanted)
  return { code, output, results, findings: [...having('failed'), ...having('warning')] }
}
