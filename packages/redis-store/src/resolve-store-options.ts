import type { ConfiguredCredentials, ConnectionSettings } from './connection.ts'
import type { RedisTokenStoreOptions, Tls } from './redis-token-store-options.ts'
import { assertStorePrefix } from './store-prefix.ts'
import { type StoreAddress, storeAddress } from './store-url.ts'

const known: readonly (keyof RedisTokenStoreOptions)[] = [
  ...(['url', 'username', 'password', 'sentinel', 'tls', 'prefix'] as const),
  ...(['connectTimeoutMs', 'commandTimeoutMs', 'logger'] as const),
]
const levels = ['debug', 'info', 'warn', 'error'] as const
const silent = () => {}
const silentLogger = { debug: silent, info: silent, warn: silent, error: silent }

/** Checks the options and fills in the defaults; throws a `TypeError` that names the wrong one. */
export function resolveStoreOptions(
  options: RedisTokenStoreOptions,
): ConnectionSettings & { readonly prefix: string } {
  const unknown = Object.keys(options).find(name => !known.some(option => option === name))
  if (unknown !== undefined)
    throw new TypeError(`${unknown} is not an option; known options: ${known.join(', ')}`)
  const {
    url,
    username,
    password,
    sentinel,
    tls,
    prefix = 'dex-token-broker',
    logger = silentLogger,
  } = options
  if (typeof url !== 'string') throw new TypeError('url must be a string')
  const address = storeAddress(url)
  if (sentinel !== undefined && address.topology !== 'sentinel')
    throw new TypeError('sentinel must be omitted unless url is one of Sentinels')
  assertStorePrefix(prefix)
  for (const level of levels)
    if (typeof logger?.[level] !== 'function') throw new TypeError(`logger must have the method ${level}`)
  return {
    address,
    own: credentials({ username, password }, ''),
    sentinel: credentials(sentinel ?? {}, 'sentinel.'),
    tls: tlsOptions(tls, address),
    prefix,
    connectTimeoutMs: positive(options.connectTimeoutMs ?? 2_000, 'connectTimeoutMs'),
    commandTimeoutMs: positive(options.commandTimeoutMs ?? 1_000, 'commandTimeoutMs'),
    logger,
  }
}

function credentials({ username, password }: ConfiguredCredentials, at: string): ConfiguredCredentials {
  if (username !== undefined && (typeof username !== 'string' || username === ''))
    throw new TypeError(`${at}username must be a string that is not empty`)
  if (password === '' || !['undefined', 'string', 'function'].includes(typeof password))
    throw new TypeError(`${at}password must be a string that is not empty, or a function`)
  if (username !== undefined && password === undefined)
    throw new TypeError(`${at}password is required with ${at}username`)
  return { username, password }
}

function tlsOptions(tls: Tls | undefined, address: StoreAddress): Tls | undefined {
  if (tls === undefined) return undefined
  if (!address.tls) throw new TypeError('tls must be omitted unless url is one for TLS, such as rediss://')
  if (typeof tls === 'function') return tls
  for (const name of ['ca', 'cert', 'key', 'servername'] as const)
    if (!['undefined', 'string'].includes(typeof tls[name]))
      throw new TypeError(`tls.${name} must be a string`)
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new TypeError('tls.cert and tls.key belong together')
  return tls
}

function positive(value: number, option: string): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError(`${option} must be a whole number above 0`)
  return value
}
