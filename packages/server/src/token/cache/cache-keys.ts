import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { linkSync } from 'node:fs'
import { join } from 'node:path'
import { quoteValue } from '../../config/values/quote-value.ts'
import { type ReadTextFile, textOf } from '../../config/values/read-text-file.ts'
import { Refusal } from '../../config/values/refusal.ts'
import { readSealingKeyFile } from '../../config/values/sealing-key-file.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'
import { userFolder } from './user-folder.ts'

export interface CacheKeysOptions {
  readonly env: NodeJS.ProcessEnv
  /** The folder of the tokens. */
  readonly folder: string
  /** The file of `--cache-key`. */
  readonly keyFile: string | undefined
  /** The secret of the client; empty for a client without one. */
  readonly secret: string
}

/**
 * The keys that seal cached tokens, the first one new ones: those in the file that the user names, in the file among the user's settings,
 * or else a key beside the tokens, made on first use. Each is derived with the secret of the client, because another secret must not lead to
 * the same token. Throws a `Refusal`, which contains no key.
 */
export function cacheKeys({ env, folder, keyFile, secret }: CacheKeysOptions): readonly string[] {
  const { keys } =
    keyFile === undefined
      ? readSealingKeyFile(ownKeyFile(env) ?? generatedKeyFile(folder), readPrivateText)
      : namedKeys(keyFile)
  const salt = createHash('sha256').update(secret).digest()
  return keys.map(({ text }) =>
    Buffer.from(
      hkdfSync('sha256', Buffer.from(text, 'base64'), salt, 'dex-token-broker token cache', 32),
    ).toString('base64'),
  )
}

/** The keys in the file of the option, by whose name faults begin. */
function namedKeys(keyFile: string) {
  try {
    return readSealingKeyFile(keyFile, readPrivateText)
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`--cache-key: ${error.message}`) : error
  }
}

function ownKeyFile(env: NodeJS.ProcessEnv): string | undefined {
  const path = join(userFolder(env, 'config'), 'cache-key')
  return readPrivateFile(path, 1) === undefined ? undefined : path
}

function generatedKeyFile(folder: string): string {
  const path = join(folder, 'key')
  if (readPrivateFile(path, 1) !== undefined) return path
  try {
    // Unlike a rename, a link does not replace the key that another command has made meanwhile.
    writePrivateFile(path, Buffer.from(`${randomBytes(32).toString('base64')}\n`), linkSync)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new Refusal(`${quoteValue(path)} cannot be written (${code})`)
  }
  return path
}

const readPrivateText: ReadTextFile = (path, limit, parse) => {
  const bytes = readPrivateFile(path, limit + 1)
  if (bytes === undefined) throw new Refusal(`${quoteValue(path)} does not exist`)
  return parse(textOf(path, bytes, limit))
}
