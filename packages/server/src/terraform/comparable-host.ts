import { domainToASCII } from 'node:url'
import { quoteValue } from '../config/values/quote-value.ts'
import { Refusal } from '../config/values/refusal.ts'

const hostPattern =
  /^(?=[^:]{1,253}(?::|$))[a-z\d](?:[\w-]*[a-z\d])?(?:\.[a-z\d](?:[\w-]*[a-z\d])?)*(?::[1-9]\d{0,4})?$/i
const defaultPort = ':443'

/**
 * A host as OpenTofu and Terraform compare it, such as `registry.example.com:8443`: in lower case, without the default port 443.
 * `undefined` for what cannot be a host. Converts nothing else, so that no other spelling gets the token of a listed host.
 */
export function comparableHost(text: string): string | undefined {
  // Before the change of case, which makes ASCII of two other letters.
  if (!hostPattern.test(text) || Number(/:(\d+)$/.exec(text)?.[1] ?? 0) > 65_535) return undefined
  const host = text.toLowerCase()
  return host.endsWith(defaultPort) ? host.slice(0, -defaultPort.length) : host
}

/** The host of an entry of the hosts file, which may have letters beyond ASCII. Throws a `Refusal`. */
export function listedHost(text: string): string {
  if (/^https?:/i.test(text))
    throw new Refusal('is a URL; name the host alone, with its port unless that is 443')
  if (text.includes('/'))
    throw new Refusal('has a path; name the host alone, with its port unless that is 443')
  if (text.includes('*')) throw new Refusal('has a *; name each host')
  const [, name = '', port = ''] = /^([^:]*)(:.*)?$/s.exec(text) ?? []
  // Punycode, as in the calls of OpenTofu.
  const ascii = /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name)
  const host = comparableHost(`${ascii}${port}`)
  if (host === undefined) throw new Refusal(`${quoteValue(text)} is not a host with an optional port`)
  return host
}
