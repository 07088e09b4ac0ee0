import { closest, distance } from 'fastest-levenshtein'
import { variableNames } from '../schema/config-schema.ts'

/** How names of this broker's variables begin; nothing else in a container is likely to use them. */
const prefix = /^(?:DEX|JWT|JWKS|STATIC|CACHE|TLS|SHARED_STORE)_/i
const known: ReadonlySet<string> = new Set(variableNames)

/** Whether Kubernetes makes a variable of this name for a Service: a Service `dex` makes `DEX_SERVICE_HOST`, `DEX_PORT`. */
export function isServiceLink(name: string): boolean {
  return /_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_.*)?)$/.test(name)
}

/** A warning for each variable that was likely meant for the broker and does not exist. Names only, never values. */
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
