import { Refusal } from './refusal.ts'

/** Reads the beginning of the names in a shared store. A brace would change the slot of a name in a cluster, a blank its ACL rule. */
export function parseStorePrefix(text: string): string {
  if (/^[A-Za-z\d._:-]{1,64}$/.test(text)) return text
  throw new Refusal('must be 1 to 64 letters, digits, dots, underscores, colons or hyphens')
}
