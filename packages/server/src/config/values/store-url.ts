import { quoteUrl } from './quote-url.ts'
import { Refusal } from './refusal.ts'

const host = String.raw`(?:[A-Za-z\d._-]+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?`
const hosts = `${host}(?:,${host})*`
const forms: readonly RegExp[] = [
  new RegExp(String.raw`^(?:rediss?|valkeys?)://${host}(?:/\d{0,5})?$`, 'i'),
  new RegExp(String.raw`^rediss?-sentinel://${hosts}/[^/?#]+$`, 'i'),
  new RegExp(String.raw`^rediss?-cluster://${hosts}/?$`, 'i'),
]

/** Reads the URL of a shared store. Never quotes a password. */
export function parseStoreUrl(text: string): string {
  if (text.includes('@')) {
    throw new Refusal(
      'contains user information (user:password@); set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE',
    )
  }
  if (forms.some(form => form.test(text))) return text
  throw new Refusal(
    `${quoteUrl(text)} is not redis://HOST:PORT, rediss://, valkey://, valkeys://, redis-sentinel://HOST:PORT,.../NAME or redis-cluster://HOST:PORT,...`,
  )
}
