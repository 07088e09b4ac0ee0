import type { ReplicaAnswer } from './replicas.ts'

/** The moments at which brokers replace tokens. */
export interface RefreshMoments {
  /** The life of a token without its safety margin. */
  readonly usableMs: number
  /** REFRESH_AHEAD_RATIO. */
  readonly ratio: number
  /** The largest part of the usable life by which a broker replaces a token earlier, at random. */
  readonly jitter: number
}

interface Copy {
  readonly token: number
  readonly dueAt: number
}

/**
 * How many token requests replicas with a perfect store make for these checks. Each replica decides for each token at random when it is
 * due. The first check that finds it due, at any replica, causes the one request of that token; the other replicas take the new one.
 */
export function idealRequests(checks: readonly ReplicaAnswer[], moments: RefreshMoments): number {
  const ofClients = Map.groupBy(checks, ({ headers }) => headers['x-client-id'])
  let requests = 0
  for (const ofClient of ofClients.values()) {
    requests += requestsOf(
      ofClient.toSorted((one, other) => one.askedAt - other.askedAt),
      moments,
    )
  }
  return requests
}

function requestsOf(checks: readonly ReplicaAnswer[], { usableMs, ratio, jitter }: RefreshMoments): number {
  const copies = new Map<number, Copy>()
  let tokens = 0
  let requestedAt = 0
  for (const { askedAt, replica } of checks) {
    const copy = copies.get(replica)
    if (copy !== undefined && askedAt < copy.dueAt) continue
    const hasNewest = copy?.token === tokens
    if (tokens === 0 || hasNewest || askedAt >= requestedAt + usableMs) {
      tokens++
      requestedAt = askedAt
    }
    const dueAt = requestedAt + usableMs * (ratio - jitter * Math.random())
    copies.set(replica, { token: tokens, dueAt })
  }
  return tokens
}
