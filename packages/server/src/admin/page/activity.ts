/** Recent events. The span is five minutes, or the time since the start when that is shorter. */
export interface Activity {
  /** The length of the span, in milliseconds. */
  readonly spanMs: number
  /** Checks within the span, by outcome: `allow`, or an error code. */
  readonly checks: Readonly<Record<string, number>>
  /** JWTs refused within the span, by reason. */
  readonly jwtRefusals: Readonly<Record<string, number>>
  /** Durations of checks within the span. */
  readonly durations: readonly DurationBucket[]
  /** Token lookups within the span. */
  readonly lookups: { readonly hits: number; readonly misses: number }
  /** Unexpired tokens evicted within the span. */
  readonly evictions: number
  /** TLS connections refused within the span, by reason. */
  readonly tlsRefusals: Readonly<Record<string, number>>
  /** Requests to the check listener outside `/check` within the span. */
  readonly unknownTargets: number
  /** Log lines dropped within the span. */
  readonly droppedLines: number
  /** The 99th percentile of the time that the event loop was late within about the last ten seconds, in milliseconds. */
  readonly eventLoopLagMs: number
  /** Checks since the start. */
  readonly totalChecks: number
  /** Faults in the configuration files, as they are now. */
  readonly configFaults: number
  /** When the configuration in effect was loaded. */
  readonly configLoadedAt: number | undefined
  /** In milliseconds since 1970, ten seconds exact; `undefined` when it never happened. */
  readonly lastCheckAt: number | undefined
  /** The first refusal since the last check that passed. */
  readonly refusedSince: number | undefined
  /** The first failed check (5xx) since the last check that passed. */
  readonly failedSince: number | undefined
  /** The first of these connections; `undefined` without any within the span. */
  readonly tlsRefusedSince: number | undefined
  /** The first of the requests outside `/check`; `undefined` without any within the span. */
  readonly astraySince: number | undefined
  /** When faults in the configuration files were first seen; `undefined` without any. */
  readonly faultySince: number | undefined
}

/** A bucket of a histogram. */
export interface DurationBucket {
  /** The upper bound in milliseconds; `undefined` for the last bucket. */
  readonly upToMs: number | undefined
  /** Checks in this bucket alone. */
  readonly count: number
}
