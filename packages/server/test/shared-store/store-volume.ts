import { randomBytes } from 'node:crypto'
import { MountedVolume } from '@broker/testing'

/** A new key, as `openssl rand -base64 32` makes one. */
export function sealingKey(): string {
  return randomBytes(32).toString('base64')
}

/** A mounted secret with the files of a shared store. */
export class StoreVolume extends MountedVolume {
  #files: Readonly<Record<string, string>>

  constructor(keys: readonly string[], others: Readonly<Record<string, string>> = {}) {
    const files = { ...others, keys: keys.join('\n') }
    super(files, { mode: 0o440 })
    this.#files = files
  }

  /** The variables that name these files and a store. */
  environment(url: string): Readonly<Record<string, string>> {
    return {
      SHARED_STORE_URL: url,
      SHARED_STORE_KEY_FILE: this.file('keys'),
      ...('password' in this.#files && { SHARED_STORE_PASSWORD_FILE: this.file('password') }),
      ...('ca.crt' in this.#files && { SHARED_STORE_CA_FILE: this.file('ca.crt') }),
    }
  }

  /** Replaces some of the files. */
  change(files: Readonly<Record<string, string>>): void {
    this.#files = { ...this.#files, ...files }
    this.swap(this.#files)
  }

  /** Replaces the keys. */
  changeKeys(...keys: readonly string[]): void {
    this.change({ keys: keys.join('\n') })
  }
}
