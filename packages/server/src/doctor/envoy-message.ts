/** A message of Envoy's configuration. */
export type EnvoyMessage = Readonly<Record<string, unknown>>

/** Of a `ListStringMatcher`. */
export function patternsAt(message: EnvoyMessage | undefined, key: string): readonly EnvoyMessage[] {
  const patterns = messageAt(message, key)?.['patterns']
  return Array.isArray(patterns) ? patterns.filter(isMessage) : []
}

/** A `StringMatcher`. A regular expression or another kind may allow anything. */
export function allows(pattern: EnvoyMessage, header: string): boolean {
  const text = (key: string) => (typeof pattern[key] === 'string' ? pattern[key].toLowerCase() : undefined)
  const [exact, prefix, suffix, part] = ['exact', 'prefix', 'suffix', 'contains'].map(text)
  if (exact !== undefined) return exact === header
  if (prefix !== undefined) return header.startsWith(prefix)
  if (suffix !== undefined) return header.endsWith(suffix)
  return part === undefined || header.includes(part)
}

export function messageAt(message: EnvoyMessage | undefined, key: string): EnvoyMessage | undefined {
  const value = message?.[key]
  return isMessage(value) ? value : undefined
}

function isMessage(value: unknown): value is EnvoyMessage {
  return typeof value === 'object' && value !== null
}

/** A duration of protobuf's JSON: `0.5s`. */
export function durationMs(value: unknown): number | undefined {
  const [, seconds] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)s$/.exec(value)) || []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}
