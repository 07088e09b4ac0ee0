import { optionRules } from '../options/broker-options.ts'
import { strings } from '../options/option-values.ts'

const visibleAscii = /^[\x21-\x7e]+$/

/** Returns one or more resource indicators (RFC 8707) as a list. Throws a `TypeError` that starts with `option`. */
export function resourcesOf(resource: unknown, option: string): readonly string[] {
  const uris = typeof resource === 'string' ? [resource] : strings(resource, option)
  for (const uri of uris) {
    const problem = resourceProblem(uri)
    if (problem !== undefined) throw new TypeError(`${option} ${problem}`)
  }
  const { maxLength } = optionRules['client.resource']
  const length = uris.reduce((sum, uri) => sum + uri.length, 0)
  if (length > maxLength) throw new TypeError(`${option} is longer than ${maxLength} characters in all`)
  return uris
}

/** Tells why a text cannot be a resource indicator (RFC 8707 section 2), in words that follow it; `undefined` when it can. */
export function resourceProblem(text: string): string | undefined {
  // `URL` ignores blanks around a text, and a server compares the text as it is sent.
  if (!visibleAscii.test(text) || !URL.canParse(text)) return 'must be an absolute URI'
  return text.includes('#') ? 'must not have a fragment' : undefined
}
