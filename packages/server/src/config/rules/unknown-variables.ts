import { isMisspelt, mostSimilarName } from '../../nearest-name.ts'
import { variableNames } from '../schema/config-schema.ts'

const known: ReadonlySet<string> = new Set(variableNames)
/** First words of our variables with which other programs' names begin as well. OpenTelemetry's have their own rule. */
const sharedWords: ReadonlySet<string> = new Set([
  ...['CLIENT', 'CONFIG', 'GRPC', 'HTTP', 'LOG', 'MAX', 'OTEL', 'USE'],
])
/** First words of the broker's variables that other programs are unlikely to use. */
const ownWords: ReadonlySet<string> = new Set(
  variableNames.map(firstWord).filter(word => !sharedWords.has(word)),
)

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
  if (!ownWords.has(firstWord(name)) && !isMisspelt(name, variableNames)) return undefined
  return mostSimilarName(name, variableNames)
}

function firstWord(name: string): string {
  return name.toUpperCase().split('_')[0] ?? ''
}
