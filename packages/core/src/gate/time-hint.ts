import { dateResolutionMs } from '../shared/clock-difference.ts'
import type { Hint } from '../shared/hint.ts'
import type { CallersIssuer } from './callers-issuer.ts'
import type { JwtDescription } from './jwt/describe-jwt.ts'

/** The hint about a JWT that is expired or not valid yet: the clocks, where their known difference is the reason. */
export function timeHint(
  { secondsPastExp, secondsBeforeNbf }: JwtDescription,
  { clockSkew, rules, paths }: CallersIssuer,
): Hint {
  const usual = { problem: 'jwt_outside_its_time', option: paths.clockToleranceMs } as const
  const skewMs = clockSkew.status?.skewMs ?? 0
  const outsideSeconds = skewMs > 0 ? secondsPastExp : secondsBeforeNbf
  if (outsideSeconds === undefined) return usual
  const withoutSkewMs = outsideSeconds * 1000 - Math.abs(skewMs)
  // A measured skew can be too small by the resolution of `Date`.
  return withoutSkewMs <= rules.clockToleranceMs + dateResolutionMs ? (clockSkew.hint ?? usual) : usual
}
