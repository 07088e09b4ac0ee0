/** The kinds of problems that the status page knows. docs/operations.md has a section with the anchor of each. */
export const problemKinds = [
  'circuit-open',
  'discovery-failing',
  'key-set-failing',
  'client-refused',
  'token-requests-failing',
  'everybody-refused',
  'checks-failing',
  'clock-skew',
  'configuration-faulty',
  'configuration-warning',
  'tls-connections-refused',
  'requests-outside-check',
  'certificate-expiring',
  'shared-store-failing',
  'cache-full',
  'event-loop-lag',
  'log-lines-dropped',
  'not-ready',
  'no-checks',
] as const

/** One of {@link problemKinds}. */
export type ProblemKind = (typeof problemKinds)[number]

/** `critical`: checks fail, or soon will. `warning`: something is not as it should be. */
export type Severity = 'critical' | 'warning'

/** A problem, in one line each: what is wrong, since when, what to do. */
export interface Problem {
  readonly kind: ProblemKind
  readonly severity: Severity
  readonly summary: string
  /** In milliseconds since 1970; `undefined` when the begin is not known. */
  readonly since: number | undefined
  /** An instruction. */
  readonly action: string
}
