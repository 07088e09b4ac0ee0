import { parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { logText } from '../../shared/log-text.ts'

/** Values of a list that are shown at most. */
const maxValues = 5

/** What a refused JWT says of itself, for the log; nothing of it is verified. */
export interface JwtDescription {
  readonly alg?: unknown
  readonly kid?: unknown
  readonly iss?: unknown
  readonly aud?: unknown
  /** Seconds. */
  readonly secondsPastExp?: number
  readonly secondsBeforeNbf?: number
}

/** Reads what it can; every value is cut and has no control characters. Never shows the JWT, or a claim about a person. */
export function describeJwt(jwt: string, nowMs: number): JwtDescription {
  const [header, claims] = jwt.split('.', 2).map(decodedObject)
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

function decodedObject(part: string): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'))
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

/** Names, numbers and URLs. A text of another form is no name, but may be a secret that came into the wrong place. */
const nameLike = /^[\w.:/@+=~-]*$/

function nameText(text: string): string {
  return nameLike.test(text) ? logText(text) : `(${text.length} characters that are no name)`
}
