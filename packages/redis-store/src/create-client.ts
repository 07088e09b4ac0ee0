import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import type { Tls } from './redis-token-store-options.ts'
import type { StoreAddress } from './store-url.ts'

export type Client = Redis | Cluster

export interface ClientSettings {
  readonly address: StoreAddress
  readonly tls: Tls | undefined
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
}

export interface Credentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/**
 * Makes a client that is not connected yet. It never reconnects by itself and never queues a command for a lost connection: each
 * connection is a new client, with the credentials of its time.
 */
export function createClient(settings: ClientSettings, own: Credentials, sentinel: Credentials): Client {
  const { address, connectTimeoutMs, commandTimeoutMs } = settings
  const { host, port } = address.nodes[0] as { host: string; port: number }
  const tls = address.tls
    ? definedParts((typeof settings.tls === 'function' ? settings.tls() : settings.tls) ?? {})
    : undefined
  const options = {
    ...definedParts(own),
    ...(tls && { tls }),
    db: address.db,
    lazyConnect: true,
    connectionName: 'dex-token-broker',
    // It would need a further right, and a `LOADING` answer is a failure like any other.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A connection whose other end is gone without a word.
    socketTimeout: connectTimeoutMs,
    // After `disconnect`, for a server that does not close its side.
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions
  switch (address.topology) {
    case 'standalone':
      return new Redis({ ...options, host, port, enableOfflineQueue: false, retryStrategy: null })
    case 'sentinel':
      return new Redis({
        ...options,
        name: address.master as string,
        sentinels: [...address.nodes],
        ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
        ...(sentinel.password !== undefined && { sentinelPassword: sentinel.password }),
        ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
        sentinelCommandTimeout: commandTimeoutMs,
        sentinelRetryStrategy: () => null,
        enableOfflineQueue: false,
        retryStrategy: null,
      })
    case 'cluster':
      return new Cluster([...address.nodes], { ...clusterOptions, redisOptions: options })
  }
}

const clusterOptions: ClusterOptions = {
  lazyConnect: true,
  enableReadyCheck: false,
  // For a node's first command, which connects; the command's own timeout bounds it. A lost node is removed with its queue.
  enableOfflineQueue: true,
  clusterRetryStrategy: () => null,
  // Failures of one command; the broker serves without the store meanwhile.
  maxRedirections: 3,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  // The nodes' names as they are: certificates are for names, and addresses change.
  dnsLookup: (host, callback) => callback(null, host),
}

function definedParts<T extends object>(parts: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const entries = Object.entries(parts).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof T]: Exclude<T[Name], undefined> }
}
