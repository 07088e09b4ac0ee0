import type { SecureContext } from 'node:tls'
import type { Logger } from '@broker/core'

/** A password, or a function that returns the current one and is called for each new connection. */
export type Password = string | (() => string | undefined | Promise<string | undefined>)

/** Options of TLS, or a function that returns the current ones and is called for each new connection. */
export type Tls = RedisTlsOptions | (() => RedisTlsOptions)

/** Options of {@link redisTokenStore}. */
export interface RedisTokenStoreOptions {
  /**
   * Where the store is, without credentials: `redis://host:6379/0`, `redis-sentinel://host:26379,host:26379/master` or
   * `redis-cluster://host:6379,host:6379`. `rediss` in place of `redis` uses TLS; `valkey://` and `valkeys://` are the same as
   * `redis://` and `rediss://`.
   */
  readonly url: string
  /** ACL user. Default: the server's user `default`. */
  readonly username?: string | undefined
  /** The user's password. A function is called again for each new connection, so that a rotated password takes effect. */
  readonly password?: Password | undefined
  /** Credentials for the Sentinels. Default: none, whatever `username` and `password` are. */
  readonly sentinel?: SentinelCredentials | undefined
  /** TLS of all connections; only with a URL for TLS. Default: the system's CAs, no client certificate. */
  readonly tls?: Tls | undefined
  /** First part of every key; letters, digits, `.`, `_`, `-` and `:`. Default: `dex-token-broker`. */
  readonly prefix?: string | undefined
  /** Time to connect, and time without an answer after which a connection is replaced, in milliseconds. Default: 2,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Time for one command, in milliseconds; the broker's own limit for a call is usually shorter. Default: 1,000. */
  readonly commandTimeoutMs?: number | undefined
  /** Gets a line when the connection is made or fails, and when the store refuses the broker. Default: none. */
  readonly logger?: Logger | undefined
}

/** The user that the Sentinels know. */
export interface SentinelCredentials {
  /** ACL user. Default: the Sentinels' user `default`. */
  readonly username?: string | undefined
  /** The user's password. */
  readonly password?: Password | undefined
}

/** PEM texts, and the name to verify. */
export interface RedisTlsOptions {
  /** CAs that are trusted instead of the system's. */
  readonly ca?: string | undefined
  /** Client certificate, with its `key`. */
  readonly cert?: string | undefined
  /** Private key of `cert`. */
  readonly key?: string | undefined
  /** In place of `ca`, `cert` and `key`. */
  readonly secureContext?: SecureContext | undefined
  /** Name that the servers' certificates must have. Default: the host that is connected to. */
  readonly servername?: string | undefined
}
