import { type CheckResult, failed, type Report } from './check-result.ts'

/** Checks that belong together. They run from the construction on, beside the checks of other groups. */
export class CheckGroup<Found = void> {
  readonly title: string
  /** The results so far. */
  readonly results: CheckResult[] = []
  /** The facts that later groups need; `undefined` when the checks broke off. Never rejects. */
  readonly found: Promise<Found | undefined>

  constructor(title: string, run: (report: Report) => Promise<Found>) {
    this.title = title
    this.found = run(result => this.results.push(result)).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      this.results.push(
        failed('doctor', `a check broke off: ${reason}`, 'report this as a bug of the broker'),
      )
      return undefined
    })
  }
}

/** The results of a group as a whole. */
export interface FinishedGroup {
  readonly title: string
  readonly results: readonly CheckResult[]
}

/** Yields the groups in their order, each when it is finished, or with what it has when `signal` aborts. */
export async function* finishedGroups(
  groups: readonly CheckGroup<unknown>[],
  signal: AbortSignal,
): AsyncGenerator<FinishedGroup> {
  const aborted = new Promise<'aborted'>(resolve => {
    if (signal.aborted) resolve('aborted')
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
  for (const { title, results, found } of groups) {
    const end = await Promise.race([found, aborted])
    // Later results are about aborted requests.
    const kept = [...results]
    if (end === 'aborted') kept.push(failed('time', 'the checks of this group did not end in time'))
    if (kept.length > 0) yield { title, results: kept }
  }
}
