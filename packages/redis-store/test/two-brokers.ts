import { readFile } from 'node:fs/promises'
import { TokenBroker } from '@broker/core'
import { type RedisTlsOptions, redisTokenStore } from '../src/index.ts'

export interface Replica extends AsyncDisposable {
  readonly broker: TokenBroker
}

/** Where things are, and the secrets that all replicas have. */
export interface Deployment {
  readonly issuer: string
  readonly clientSecret: string
  readonly url: string
  readonly passwordFile: string
  readonly tls: RedisTlsOptions
  readonly keys: readonly string[]
  readonly timeoutMs: number
}

/** Starts a replica, as the README shows it. */
export async function startReplica(deployment: Deployment): Promise<Replica> {
  const { issuer, clientSecret, url, passwordFile, tls, keys, timeoutMs } = deployment
  // #region brokers
  const store = redisTokenStore({
    url, // rediss://redis.example.com:6379
    username: 'broker',
    password: async () => (await readFile(passwordFile, 'utf8')).trim(),
    tls,
  })
  await store.firstAttempt // a connection takes longer than a broker waits for a call
  const broker = new TokenBroker({
    issuer, // https://dex.example.com/dex
    client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
    sharedStore: {
      store,
      keys, // 32 random bytes each, in base64, the same in every replica
      timeoutMs, // of each call; 50 by default
    },
  })
  // #endregion
  return {
    broker,
    async [Symbol.asyncDispose]() {
      await broker.close()
      await store.close()
    },
  }
}
