import path from 'node:path'
import { MountedVolume } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { describeConfig } from '../../src/config/describe-config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { configSchema, variableNames } from '../../src/config/schema/config-schema.ts'
import { secretFileVariable } from '../../src/config/schema/secret-files.ts'
import type { Variable } from '../../src/config/schema/variable.ts'
import { faultsOf } from './faults-of.ts'
import { ConfigFolder } from './file/config-folder.ts'

const secrets = variableNames.filter(name => (configSchema[name] as Variable).secret)
const client = { STATIC_CLIENT_ID: 'reports', STATIC_SCOPE: 'openid' }

test('every secret variable has a twin behind it that is not secret', () => {
  expect(secrets).toContain('STATIC_CLIENT_SECRET')
  for (const name of secrets) {
    const twin = variableNames[variableNames.indexOf(name) + 1]
    expect(twin).toBe(secretFileVariable(name))
    expect(configSchema[twin as 'STATIC_CLIENT_SECRET_FILE']).toMatchObject({
      secret: false,
      group: configSchema[name].group,
    })
  }
})

describe('STATIC_CLIENT_SECRET_FILE', () => {
  test.each([
    ['the whole text', 'hunter2', 'hunter2'],
    ['a text without its last line break', 'hunter2\n', 'hunter2'],
    ['a text without its last line break of Windows', 'hunter2\r\n', 'hunter2'],
    ['blanks, which belong to it', ' hunter2 ', ' hunter2 '],
  ])('gives the secret: %s', (_, text, secret) => {
    using volume = new MountedVolume({ secret: text })
    const config = loadConfig({ ...client, STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    expect(config.broker.client).toEqual({ clientId: 'reports', clientSecret: secret, scope: 'openid' })
  })

  test('is relative to the working directory', () => {
    using volume = new MountedVolume({ secret: 'hunter2' })
    const file = path.relative(process.cwd(), volume.file('secret'))
    expect(loadConfig({ ...client, STATIC_CLIENT_SECRET_FILE: file }).broker.client?.clientSecret).toBe(
      'hunter2',
    )
  })

  test('shows its path, and never the secret', () => {
    using volume = new MountedVolume({ secret: 'hunter2' })
    const text = describeConfig(loadConfig({ ...client, STATIC_CLIENT_SECRET_FILE: volume.file('secret') }))
    expect(text).toContain(
      `\nSTATIC_CLIENT_SECRET=********\nSTATIC_CLIENT_SECRET_FILE=${volume.file('secret')}\n`,
    )
    expect(text).not.toContain('hunter2')
  })

  test('counts as the secret in every rule', () => {
    using volume = new MountedVolume({ secret: 'hunter2' })
    const env = { ...client, STATIC_CLIENT_SECRET_FILE: volume.file('secret') }
    expect(loadConfig(env).warnings).toEqual([
      expect.stringContaining('STATIC_CLIENT_SECRET are set without a JWT gate'),
    ])
    expect(faultsOf({ ...env, DEX_ISSUER: 'https://dex.example.com' })).toEqual([
      expect.stringMatching(/^JWT_AUDIENCE: must be set/),
    ])
    using folder = new ConfigFolder(`rules: [{ name: all, when: 'true', client: default }]`)
    const byRule = { ...env, CONFIG_FILE: folder.file, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }
    expect(loadConfig(byRule).file?.rules?.count).toBe(1)
  })

  test('may be in the settings of the configuration file', () => {
    using volume = new MountedVolume({ secret: 'hunter2' })
    using folder = new ConfigFolder(`settings: { STATIC_CLIENT_SECRET_FILE: ${volume.file('secret')} }`)
    const config = loadConfig({ ...client, CONFIG_FILE: folder.file })
    expect(config.broker.client?.clientSecret).toBe('hunter2')
  })

  test.each([
    ['is absent', undefined, /^STATIC_CLIENT_SECRET_FILE: ".*secret" does not exist$/],
    ['is empty', '', /^STATIC_CLIENT_SECRET_FILE: ".*secret" is empty$/],
    ['holds a line break alone', '\n', /^STATIC_CLIENT_SECRET_FILE: ".*secret" is empty$/],
    [
      'holds a control character',
      'hunter2\u0007',
      /^STATIC_CLIENT_SECRET_FILE: ".*secret" contains a control character/,
    ],
    [
      'is too long',
      's'.repeat(5_000),
      /^STATIC_CLIENT_SECRET_FILE: ".*secret" has 5000 characters, more than 4096$/,
    ],
    [
      'is far too long',
      's'.repeat(50_000),
      /^STATIC_CLIENT_SECRET_FILE: ".*secret" is larger than 16386 bytes$/,
    ],
  ])('is a fault when the file %s', (_, text, problem) => {
    using volume = new MountedVolume(text === undefined ? {} : { secret: text })
    const faults = faultsOf({ ...client, STATIC_CLIENT_SECRET_FILE: volume.file('secret') })
    expect(faults).toEqual([expect.stringMatching(problem)])
  })

  test('is a fault together with the secret itself', () => {
    using volume = new MountedVolume({ secret: 'hunter2' })
    const both = { ...client, STATIC_CLIENT_SECRET: 'x', STATIC_CLIENT_SECRET_FILE: volume.file('secret') }
    expect(faultsOf(both)).toEqual([
      'STATIC_CLIENT_SECRET_FILE: must not be set together with STATIC_CLIENT_SECRET; remove one of them',
    ])
    expect(loadConfig({ ...both, STATIC_CLIENT_SECRET: '' }).broker.client?.clientSecret).toBe('hunter2')
  })

  test('is known to the warnings of misspelt variables', () => {
    expect(loadConfig({ STATIC_CLIENT_SECRETS_FILE: '/x' }).warnings).toEqual([
      'STATIC_CLIENT_SECRETS_FILE is not a variable of this broker and is ignored; did you mean STATIC_CLIENT_SECRET_FILE?',
    ])
  })
})
