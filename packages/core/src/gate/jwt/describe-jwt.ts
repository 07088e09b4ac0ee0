import { lenientJwtPart } from '../../shared/jwt-part.ts'
import { logText } from '../../shared/log-text.ts'

/** Limit of values shown per list. */
const maxValues = 5

/** Parts of a refused JWT for the log; not verified. */
export interface JwtDescription {
  readonly alg?: unknown
  readonly kid?: unknown
  readonly iss?: unknown
  readonly aud?: unknown
  /** Time since `exp`, in whole seconds. */
  readonly secondsPastExp?: number
  /** Time until `nbf`, in whole seconds. */
  readonly secondsBeforeNbf?: number
}

/** Reads what it can and shortens every value. Never shows the JWT itself or a claim about a person. */
export function describeJwt(jwt: string, nowMs: number): JwtDescription {
  const [header, claims] = jwt.split('.', 2).map(lenientJwtPart)
  const { exp, nbf } = claims ?? {}
  const pastExp = typeof exp === 'number' ? nowMs / 1000 - exp : -1
  const beforeNbf = typeof nbf === 'number' ? nbf - nowMs / 1000 : -1
  return {
    alg: shown(header?.['alg']),
    kid: shown(header?.['kid']),
    iss: shown(claims?.['iss']),
    aud: shown(claims?.['aud']),
    ...(pastExp >= 0 && { secondsPastExp: Math.round(pastExp) }),
    ...(beforeNbf > 0 && { secondsBeforeNbf: Math.round(beforeNbf) }),
  }
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return nameText(value)
  if (!Array.isArray(value))
    return value === undefined ? undefined : `(${value === null ? 'null' : typeof value})`
  const shownValues = value
    .slice(0, maxValues)
    .map(item => (typeof item === 'string' ? nameText(item) : `(${typeof item})`))
  return value.length > maxValues ? [...shownValues, '...'] : shownValues
}

/** Names, numbers and URLs. Another text could be a secret in the wrong place. */
const nameLike = /^[\w.:/@+=~-]*$/

function nameText(text: string): string {
  return nameLike.test(text) ? logText(text) : `(${text.length} characters that are not a name)`
}
