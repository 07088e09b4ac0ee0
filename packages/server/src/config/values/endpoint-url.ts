import { quoteUrl } from './quote-url.ts'
import { Refusal } from './refusal.ts'

/**
 * Reads the URL of an endpoint: absolute, http or https, with a host, without user info or fragment.
 *
 * Stricter than `new URL`, which mends `https:///token` into the host `token` and drops line breaks.
 */
export function parseEndpointUrl(text: string): URL {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1]
  if (/^[^/?#]*:\/\/[^/?#]*@/.test(text))
    throw new Refusal('contains user information (user:password@), which is never used')
  if (/[\s\\\p{Cc}]/u.test(text))
    throw new Refusal(`${quoteUrl(text)} contains a blank, a line break or a backslash`)
  if (authority === undefined) throw new Refusal(`${quoteUrl(text)} does not start with https:// or http://`)
  if (authority === '' || authority.startsWith(':')) throw new Refusal(`${quoteUrl(text)} has no host`)
  if (text.includes('#')) throw new Refusal(`${quoteUrl(text)} has a fragment (#...)`)
  if (!URL.canParse(text)) throw new Refusal(`${quoteUrl(text)} is not a URL`)
  return new URL(text)
}

/** Reads an issuer: such a URL without a query. The text stays as it is, because it is compared exactly. */
export function parseIssuer(text: string): string {
  parseEndpointUrl(text)
  if (text.includes('?')) throw new Refusal(`${quoteUrl(text)} has a query (?...)`)
  return text
}
