const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/**
 * Reads the `grpc-timeout` header: at most 8 digits and a unit. Whole milliseconds, rounded up; `undefined` for anything else, and
 * for 0, which would refuse every check.
 */
export function grpcTimeoutMs(text: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text ?? '') ?? []
  if (digits === undefined || unit === undefined) return undefined
  return Math.ceil(Number(digits) * (unitMs[unit] ?? 0)) || undefined
}
