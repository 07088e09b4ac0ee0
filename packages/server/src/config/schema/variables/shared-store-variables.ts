import { optionRules } from '@broker/core/options'
import { optionalSetting, setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Shared store'

/** The variables of the group "Shared store". */
export const sharedStoreVariables = {
  SHARED_STORE_URL: optionalSetting('sharedStoreUrl', {
    group,
    kind: kind.storeUrl,
    via: 'sharedStore.store',
    needsRestart: true,
    example: 'redis://valkey.dex-token-broker.svc:6379',
    description:
      'Valkey or Redis that all replicas use, so that they make one token request together: `redis://` or `valkey://`, with TLS `rediss://` or `valkeys://`, then host, port and database. `redis-sentinel://h1:26379,h2:26379/mymaster` finds the primary, `redis-cluster://h1:6379,h2:6379` a cluster; with TLS `rediss-...`. Needs SHARED_STORE_KEY_FILE. While the store fails, the broker works without it.',
  }),
  SHARED_STORE_KEY_FILE: optionalSetting('sharedStoreKeyFile', {
    group,
    kind: kind.sealingKeyFile,
    via: 'sharedStore.keys',
    example: '/run/secrets/shared-store-keys',
    description:
      'File with the keys that seal tokens in the store: base64 of 32 random bytes, one key on each line; lines that begin with # are comments. The first key seals, all of them open. The same on all replicas. Read again when the file changes.',
  }),
  SHARED_STORE_TIMEOUT: setting('sharedStoreTimeoutMs', {
    group,
    kind: kind.duration,
    via: 'sharedStore.timeoutMs',
    rule: optionRules['sharedStore.timeoutMs'],
    description:
      'How long a check waits for one answer of the store before the broker requests the token itself. A store that exceeds it is not asked for a second or more.',
  }),
  SHARED_STORE_PREFIX: setting('sharedStorePrefix', {
    group,
    kind: kind.storePrefix,
    rule: { default: 'dex-token-broker' },
    needsRestart: true,
    description:
      'Beginning of every name in the store. Brokers with different prefixes share nothing; an ACL user needs `~<prefix>:*`.',
  }),
  SHARED_STORE_USERNAME: optionalSetting('sharedStoreUsername', {
    group,
    kind: kind.text,
    rule: { maxLength: 256 },
    needsRestart: true,
    example: 'dex-token-broker',
    description: 'ACL user of the store. Needs SHARED_STORE_PASSWORD_FILE. Default: the user `default`.',
  }),
  SHARED_STORE_PASSWORD_FILE: optionalSetting('sharedStorePassword', {
    group,
    kind: kind.secretFile,
    example: '/run/secrets/shared-store-password',
    description:
      'File with the password of the store. Read again when the file changes; the next connection uses it. A line break at its end does not count.',
  }),
  SHARED_STORE_CA_FILE: optionalSetting('sharedStoreCa', {
    group,
    kind: kind.caFile,
    example: '/etc/dex-token-broker/store-ca.crt',
    description:
      "Certificates to trust for the store, in addition to the system's. Read again when the file changes; the next connection uses them.",
  }),
} satisfies Readonly<Record<string, Variable>>
