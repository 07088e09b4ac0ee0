import { closest, distance } from 'fastest-levenshtein'
import { variableNames } from '../schema/config-schema.ts'

/** Prefixes of the broker's variables that other programs are unlikely to use. */
const prefix = /^(?:DEX|JWT|JWKS|STATIC|CACHE|TLS|SHARED_STORE)_/i
const known: ReadonlySet<string> = new Set(variableNames)

/** Whether Kubernetes sets a variable of this name for a Service: for `dex` it sets `DEX_SERVICE_HOST` and `DEX_PORT`. */
export function isServiceLink(name: string): boolean {
  return /_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_.*)?)$/.test(name)
}

/** Warns of each variable that was likely meant for the broker and does not exist. Shows names, never values. */
export function unknownVariableWarnings(names: readonly string[]): string[] {
  return names.filter(isMisspelt).map(name => {
    const nearest = closest(name.toUpperCase(), variableNames)
    return `${name} is not a variable of this broker and is ignored; did you mean ${nearest}?`
  })
}

function isMisspelt(name: string): boolean {
  if (known.has(name) || isServiceLink(name)) return false
  return prefix.test(name) || variableNames.some(variable => distance(name.toUpperCase(), variable) <= 1)
}
