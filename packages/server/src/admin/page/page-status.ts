import type { BrokerStatus } from '@broker/core'
import type { RecentLine } from '../../recent-lines.ts'
import type { CertificateInUse } from '../../tls/certificate-in-use.ts'
import type { Activity } from './activity.ts'
import type { Problem } from './problem.ts'

/** The facts of the status page, before anybody judges them. Times are in milliseconds since 1970. */
export interface PageFacts {
  /** When they were put together. */
  readonly at: number
  readonly startedAt: number
  /** The host name: in Kubernetes, the name of the pod. */
  readonly replica: string
  readonly version: string
  /** Version of Node.js. */
  readonly node: string
  /** The text of `/readyz`; `undefined` when the broker is ready. */
  readonly notReadyBecause: string | undefined
  /** Sentences about what is dangerous or likely a mistake in the configuration in effect. */
  readonly configWarnings: readonly string[]
  readonly broker: BrokerStatus
  readonly activity: Activity
  /** The certificates in use. */
  readonly certificates: readonly CertificateInUse[]
  /** The last log lines at WARN and above, the latest first; `undefined` when they go to a logger that keeps none. */
  readonly errors: readonly RecentLine[] | undefined
  /** The configuration in effect as `--check-config` prints it, secrets masked. */
  readonly configuration: string
}

/** The content of the status page, and of `/status`. */
export interface PageStatus extends PageFacts {
  /** The worst first. */
  readonly problems: readonly Problem[]
}
