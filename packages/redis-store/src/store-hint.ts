/** How the operator calls the settings of a store. */
export interface StoreSettingNames {
  /** The URL of the store. */
  readonly url: string
  /** The user and its password. */
  readonly credentials: string
  /** The password alone. */
  readonly password: string
  /** The certificates to trust. */
  readonly ca: string
  /** The place that lists the rights of the user. */
  readonly rights: string
}

const optionNames: StoreSettingNames = {
  url: 'url',
  credentials: 'username and password (sentinel.username and sentinel.password for Sentinels)',
  password: 'password (sentinel.password for Sentinels)',
  ca: 'tls.ca',
  rights: 'the README of @broker/redis-store',
}

type Sentence = (names: StoreSettingNames) => string

const wrongTls: Sentence = ({ url }) =>
  `check whether the port in ${url} serves TLS, and whether it requires a client certificate: rediss:// uses TLS, redis:// does not`
const notReached: Sentence = ({ url }) =>
  `check the address in ${url}, routes, firewalls and network policies: no connection`

/** Answers of the server that no later attempt changes. */
const refusals: ReadonlyMap<string | undefined, Sentence> = new Map([
  ['WRONGPASS', ({ credentials }) => `set ${credentials} to a user of the store and its password`],
  ['NOAUTH', ({ password }) => `set ${password}: the store requires a password`],
  ['NOPERM', ({ rights }) => `give the user of the store the rights in ${rights}`],
])

const failures: ReadonlyMap<string | undefined, Sentence> = new Map<string | undefined, Sentence>([
  ['ECONNREFUSED', ({ url }) => `check the host and the port in ${url}: nothing listens there`],
  ['ENOTFOUND', ({ url }) => `check the host name in ${url}: it does not resolve`],
  ['EAI_AGAIN', ({ url }) => `check the host name in ${url} and the resolver: it does not resolve`],
  ['ETIMEDOUT', notReached],
  ['EHOSTUNREACH', notReached],
  ['ENETUNREACH', notReached],
  ['ECONNRESET', wrongTls],
  ['EPROTO', wrongTls],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', wrongTls],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    ({ url }) => `set ${url} to a host name of the certificate, or issue a certificate for this host name`,
  ],
  ['CERT_HAS_EXPIRED', () => 'renew the certificate of the store, or correct the clock of this host'],
  [
    'CERT_NOT_YET_VALID',
    () => 'correct the clock of this host: the certificate of the store is not valid yet',
  ],
  [
    'OOM',
    () => 'raise maxmemory of the store, or set its maxmemory-policy to volatile-ttl: its memory is full',
  ],
  ['MISCONF', () => 'check the log of the store: it cannot write to its disk'],
  ['LOADING', () => 'wait until the store has loaded its data'],
  [
    'READONLY',
    ({ url }) => `set ${url} to the primary, or to the Sentinels: this server is a read-only replica`,
  ],
  ['CLUSTERDOWN', () => 'check the nodes of the cluster: some slots have none'],
])

const certificateCodes = /^(?:CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)_/

/** Whether the store answered that the broker may not use it. */
export function isStoreRefusal(code: string | undefined): boolean {
  return refusals.has(code)
}

/**
 * An instruction for the operator after a failure of the store; `code` is the first word of its answer, or the system's. Default of
 * `names`: the options of {@link redisTokenStore}.
 */
export function storeHint(code: string | undefined, names: StoreSettingNames = optionNames): string {
  const sentence = refusals.get(code) ?? failures.get(code)
  if (sentence !== undefined) return sentence(names)
  if (certificateCodes.test(code ?? '')) return `add the CA of the certificate to ${names.ca}`
  if (code?.startsWith('ERR_SSL_')) return wrongTls(names)
  return `check that the store at ${names.url} is running and answers in time`
}
