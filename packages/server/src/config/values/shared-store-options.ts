import { assertStorePrefix, storeAddress } from '@broker/redis-store/options'
import { Refusal } from './refusal.ts'

/** Reads the URL of a shared store. */
export function parseStoreUrl(text: string): string {
  if (text.includes('@')) {
    throw new Refusal(
      'contains credentials (user:password@); set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE',
    )
  }
  return judged('url', text, storeAddress)
}

/** Reads the first part of the keys in a shared store. */
export function parseStorePrefix(text: string): string {
  return judged('prefix', text, assertStorePrefix)
}

/** Has the store judge an option, whose name begins its messages. */
function judged(option: string, text: string, judge: (text: string) => unknown): string {
  try {
    judge(text)
    return text
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new Refusal(error.message.slice(`${option} `.length))
  }
}
