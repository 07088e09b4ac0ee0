import { optionRules } from '@broker/core/options'
import type { Config } from '../config/config.ts'

/** For the answer, after the token request has timed out. */
const reserveMs = 1_000

/**
 * How long the calls of a connection that is replaced may still run, in milliseconds: as long as calls of a stop, and as long as a check
 * may wait for Dex.
 */
export function connectionAgeGraceMs({
  shutdownTimeoutMs,
  broker,
}: Pick<Config, 'shutdownTimeoutMs' | 'broker'>): number {
  const { requestTimeoutMs = optionRules.requestTimeoutMs.default } = broker
  return Math.max(shutdownTimeoutMs, requestTimeoutMs + reserveMs)
}
