import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { MountedVolume } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { describeConfig } from '../../src/config/describe-config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { faultsOf } from './faults-of.ts'
import { ConfigFolder } from './file/config-folder.ts'

const url = 'redis://127.0.0.1:6379'
const newKey = () => randomBytes(32).toString('base64')

/** A volume with this key file, which only its owner may read. */
function keyVolume(keys: string): MountedVolume {
  const volume = new MountedVolume({ keys })
  chmodSync(volume.file('keys'), 0o400)
  return volume
}

function withKeyFile(text: string, environment: NodeJS.ProcessEnv = {}) {
  using volume = keyVolume(text)
  return faultsOf({ SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: volume.file('keys'), ...environment })
}

test('a store is off by default', () => {
  expect(loadConfig({})).toMatchObject({ sharedStoreTimeoutMs: 50, sharedStorePrefix: 'dex-token-broker' })
  expect(loadConfig({}).sharedStoreUrl).toBeUndefined()
})

describe('SHARED_STORE_URL', () => {
  test.each([
    'redis://valkey',
    'redis://valkey:6379',
    'rediss://valkey.example.com:6380/3',
    'valkey://127.0.0.1:6379',
    'valkeys://[::1]:6379/0',
    'redis-sentinel://h1:26379,h2:26379/mymaster',
    'rediss-sentinel://h1/mymaster',
    'redis-cluster://h1:6379,h2:6379',
    'rediss-cluster://h1:6379',
  ])('may be %s', SHARED_STORE_URL => {
    expect(withKeyFile(newKey(), { SHARED_STORE_URL })).toEqual([])
  })

  test.each([
    'redis:valkey',
    'valkey:6379',
    'http://valkey:6379',
    'redis://',
    'redis://valkey:6379/orders',
    'redis://h1:6379,h2:6379',
    'redis-sentinel://h1:26379',
    'redis-cluster://h1:6379/1',
    'redis://valkey:6379?db=1',
    'redis://valkey:6379#1',
    'redis://val key:6379',
  ])('may not be %s', SHARED_STORE_URL => {
    expect(withKeyFile(newKey(), { SHARED_STORE_URL })).toEqual([
      expect.stringMatching(/^SHARED_STORE_URL: must /),
    ])
  })

  test.each([
    'redis://:hunter2@valkey',
    'redis://user:hunter2@valkey:6379',
    'redis-cluster://h1,:hunter2@h2',
  ])('may not contain a password, and never shows it: %s', SHARED_STORE_URL => {
    expect(withKeyFile(newKey(), { SHARED_STORE_URL })).toEqual([
      'SHARED_STORE_URL: contains credentials (user:password@); set SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE',
    ])
  })
})

describe('SHARED_STORE_KEY_FILE', () => {
  test('has one key on each line, and comments and blank lines between them', () => {
    const [first, second] = [newKey(), newKey()]
    using volume = keyVolume(`# today\n${first}\n\n  # before\r\n ${second} \r\n`)
    const config = loadConfig({ SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: volume.file('keys') })
    expect(config.sharedStoreKeyFile?.keys.map(({ text }) => text)).toEqual([first, second])
    expect(config.warnings).toEqual([])
  })

  test('is shown with the number and the ids of its keys, and never with a key', () => {
    const [first, second] = [newKey(), newKey()]
    using volume = keyVolume(`${first}\n${second}`)
    const text = describeConfig(
      loadConfig({ SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: volume.file('keys') }),
    )
    const line = new RegExp(
      `^SHARED_STORE_KEY_FILE=${volume.file('keys')} \\(2 keys: [\\da-f]{16}, [\\da-f]{16}\\)$`,
      'm',
    )
    expect(text).toMatch(line)
    expect(text).toContain(`\nSHARED_STORE_URL=${url}\n`)
    for (const key of [first, second]) expect(text).not.toContain(key.slice(0, 8))
  })

  test.each([
    ['is empty', '', /" has no key; make a key with "openssl rand -base64 32"$/],
    ['has comments alone', '# a\n', /" has no key/],
    ['has a short key', randomBytes(16).toString('base64'), /line 1 of ".*" is not base64 of 32 bytes; make/],
    ['has a long key', randomBytes(33).toString('base64'), /is not base64 of 32 bytes/],
    ['has a key in hexadecimal', randomBytes(32).toString('hex'), /is not base64 of 32 bytes/],
    ['has a key with unused bits', `${'A'.repeat(42)}B=`, /is not base64 of 32 bytes/],
    ['has a password', `# key\nhunter2`, /line 2 of ".*" is not base64 of 32 bytes/],
  ])('is a fault when the file %s', (_, text, problem) => {
    const faults = withKeyFile(text)
    expect(faults).toEqual([expect.stringMatching(problem)])
    expect(faults[0]).toMatch(/^SHARED_STORE_KEY_FILE: /)
    if (text.length > 8) expect(faults[0]).not.toContain(text.slice(-8))
  })

  test('is a fault when a key is there twice', () => {
    const key = newKey()
    expect(withKeyFile(`${key}\n${key}`)).toEqual([
      expect.stringMatching(/^SHARED_STORE_KEY_FILE: line 2 of ".*" repeats the key of line 1$/),
    ])
  })

  test('is warned of when every user can read the file', () => {
    using volume = keyVolume(newKey())
    chmodSync(volume.file('keys'), 0o644)
    const config = loadConfig({ SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: volume.file('keys') })
    expect(config.warnings).toEqual([
      expect.stringMatching(/^SHARED_STORE_KEY_FILE: every user .* Set its mode to 0400/),
    ])
  })
})

describe('the variables of a store together', () => {
  test('a URL without a key file says how to make one', () => {
    expect(faultsOf({ SHARED_STORE_URL: url })).toEqual([
      'SHARED_STORE_KEY_FILE: must be set, because SHARED_STORE_URL is: tokens are sealed before they are stored; make a key with "openssl rand -base64 32 > FILE", the same for all replicas',
    ])
  })

  test('a key file, or a user, without a URL is a fault', () => {
    expect(withKeyFile(newKey(), { SHARED_STORE_URL: '' })).toEqual([
      'SHARED_STORE_URL: must be set, because SHARED_STORE_KEY_FILE is',
    ])
    expect(faultsOf({ SHARED_STORE_USERNAME: 'broker' })).toEqual([
      'SHARED_STORE_URL: must be set, because SHARED_STORE_USERNAME is',
    ])
  })

  test('a user needs a password', () => {
    expect(withKeyFile(newKey(), { SHARED_STORE_USERNAME: 'broker' })).toEqual([
      expect.stringMatching(/^SHARED_STORE_PASSWORD_FILE: must be set, because SHARED_STORE_USERNAME is/),
    ])
  })

  test('a wrong URL hides nothing, and is not called missing', () => {
    expect(
      faultsOf({ SHARED_STORE_URL: 'valkey', SHARED_STORE_PREFIX: '{x}', SHARED_STORE_TIMEOUT: '0s' }),
    ).toEqual([
      expect.stringMatching(/^SHARED_STORE_URL: must be a URL such as redis:/),
      expect.stringMatching(/^SHARED_STORE_TIMEOUT: "0s" is shorter than 1ms/),
      expect.stringMatching(/^SHARED_STORE_PREFIX: must be/),
      expect.stringMatching(/^SHARED_STORE_KEY_FILE: must be set/),
    ])
  })

  test.each([
    ['redis://valkey:6379', true],
    ['valkey://10.0.0.1', true],
    ['redis-cluster://h1,h2', true],
    // One node beyond loopback is enough.
    ['redis-cluster://127.0.0.1:6379,h2', true],
    ['redis://127.0.0.1:6379', false],
    ['redis-cluster://127.0.0.1:6379,localhost', false],
    ['redis://[::1]:6379', false],
    ['redis://localhost', false],
    ['rediss://valkey:6379', false],
    ['valkeys://valkey:6379', false],
    ['rediss-sentinel://h1/mymaster', false],
  ])('a password that goes to %s is warned of: %s', (SHARED_STORE_URL, isWarned) => {
    using volume = keyVolume(newKey())
    using password = new MountedVolume({ password: 'hunter2' })
    const { warnings } = loadConfig({
      SHARED_STORE_URL,
      SHARED_STORE_KEY_FILE: volume.file('keys'),
      SHARED_STORE_PASSWORD_FILE: password.file('password'),
    })
    expect(warnings).toEqual(
      isWarned ? [expect.stringMatching(/^SHARED_STORE_URL is without TLS: the password/)] : [],
    )
  })

  test('without a password is warned of too: the names of records cross the network', () => {
    using volume = keyVolume(newKey())
    const files = { SHARED_STORE_KEY_FILE: volume.file('keys') }
    expect(loadConfig({ SHARED_STORE_URL: 'redis://valkey', ...files }).warnings).toEqual([
      'SHARED_STORE_URL is without TLS: the names of records cross the network unencrypted; tokens are sealed. Use rediss:// if the store has TLS.',
    ])
    expect(loadConfig({ SHARED_STORE_URL: 'redis://localhost', ...files }).warnings).toEqual([])
  })

  test('may be settings of the configuration file', () => {
    using volume = keyVolume(newKey())
    using folder = new ConfigFolder(
      `settings: { SHARED_STORE_URL: '${url}', SHARED_STORE_KEY_FILE: ${volume.file('keys')}, SHARED_STORE_TIMEOUT: 20ms }`,
    )
    expect(loadConfig({ CONFIG_FILE: folder.file })).toMatchObject({
      sharedStoreUrl: url,
      sharedStoreTimeoutMs: 20,
      sharedStoreKeyFile: { keys: [{ text: expect.any(String) }] },
    })
  })
})
