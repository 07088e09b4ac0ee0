import { join } from 'node:path'
import type { TokenBrokerOptions } from '@broker/core'
import { cacheKeys } from './cache-keys.ts'
import { FileTokenStore } from './file-token-store.ts'
import { assertPrivateFolder } from './private-file.ts'
import { userFolder } from './user-folder.ts'

export interface TokenCacheSettings {
  readonly env: NodeJS.ProcessEnv
  readonly keyFile: string | undefined
  /** The secret of the client; empty for a client without one. */
  readonly secret: string
  /** How long a cached token must still live, in milliseconds. Default: as the configuration says. */
  readonly minRemainingMs: number | undefined
  /** Receives a sentence about each cached token that cannot be used. */
  readonly warn: (sentence: string) => void
}

/** Options with which a broker keeps its tokens in a folder of the user. Throws a `Refusal` for a folder or a key that others can use. */
export function tokenCacheOptions(settings: TokenCacheSettings): Partial<TokenBrokerOptions> {
  const { env, keyFile, secret, minRemainingMs, warn } = settings
  const folder = join(userFolder(env, 'cache'), 'tokens')
  assertPrivateFolder(folder)
  const keys = cacheKeys({ env, folder, keyFile, secret })
  return {
    sharedStore: { store: new FileTokenStore(folder, { warn }), keys },
    ...(minRemainingMs !== undefined && { expirySafetyMarginMs: minRemainingMs }),
    observe: event => {
      if (event.type !== 'shared_store') return
      if (event.outcome === 'unreadable') warn('the cached token does not open with its key; replaced')
      if (event.outcome === 'failed') warn(`a file in ${folder} cannot be used; the token is not cached`)
    },
  }
}
