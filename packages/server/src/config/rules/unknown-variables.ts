import { closest, distance } from 'fastest-levenshtein'
import { variableNames } from '../schema/config-schema.ts'

/** Prefixes of the broker's variables that other programs are unlikely to use. */
const prefix = /^(?:DEX|JWT|JWKS|STATIC|CACHE|TLS|SHARED_STORE)_/i
/** Two letters that are swapped count as two. */
const maxTypos = 2
const known: ReadonlySet<string> = new Set(variableNames)

/** Whether Kubernetes sets a variable of this name for a Service: for `dex` it sets `DEX_SERVICE_HOST` and `DEX_PORT`. */
export function isServiceLink(name: string): boolean {
  return /_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_.*)?)$/.test(name)
}

/** Warns of each variable that was likely meant for the broker and does not exist. Shows names, never values. */
export function unknownVariableWarnings(names: readonly string[]): string[] {
  return names.flatMap(name => {
    const nearest = misspeltVariable(name)
    if (nearest === undefined) return []
    return `${name} is not a variable of this broker and is ignored; did you mean ${nearest}?`
  })
}

/** The variable that a name was likely meant to be; `undefined` for a variable of the broker, or of another program. */
export function misspeltVariable(name: string): string | undefined {
  if (known.has(name) || isServiceLink(name)) return undefined
  const upperCase = name.toUpperCase()
  const nearest = closest(upperCase, variableNames)
  return prefix.test(name) || distance(upperCase, nearest) <= maxTypos ? nearest : undefined
}
