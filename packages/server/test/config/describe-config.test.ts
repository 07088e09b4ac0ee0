import { parseEnv } from 'node:util'
import { describe, expect, it } from 'vitest'
import { describeConfig } from '../../src/config/describe-config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { variableNames } from '../../src/config/schema/config-schema.ts'

const ENVIRONMENT = {
  LISTEN_ADDR: '[::1]:9000',
  ADMIN_ADDR: 'OFF',
  HTTP_TIMEOUT: '90s',
  STATIC_CLIENT_ID: 'reports',
  STATIC_CLIENT_SECRET: 'hunter2',
  STATIC_SCOPE: 'openid groups',
  STATIC_AUDIENCES: 'orders billing',
  UPSTREAM_TOKEN_HEADERS: 'access_token:x-token,token_type',
  JWKS_URL: 'https://auth.example.com/keys',
  JWT_AUDIENCE: 'orders,billing',
  JWT_CLOCK_TOLERANCE: '1.5s',
  LOG_LEVEL: 'error+1',
}

describe('describeConfig', () => {
  it('has one line for every variable', () => {
    const lines = describeConfig(loadConfig({})).split('\n')
    expect(lines.map(line => line.slice(0, line.indexOf('=')))).toEqual(variableNames)
  })

  it('writes values in the syntax of the environment', () => {
    const lines = describeConfig(loadConfig(ENVIRONMENT)).split('\n')
    expect(lines).toContain('ADMIN_ADDR=off')
    expect(lines).toContain('HTTP_TIMEOUT=1m30s')
    expect(lines).toContain('LOG_LEVEL=ERROR+4')
    expect(lines).toContain('UPSTREAM_TOKEN_HEADERS=access_token:x-token,token_type:token_type')
    expect(lines).toContain('STRIP_CREDENTIAL_HEADERS=true')
  })

  it('masks a secret that is set, and leaves one that is not set empty', () => {
    expect(describeConfig(loadConfig(ENVIRONMENT))).toContain('\nSTATIC_CLIENT_SECRET=********\n')
    expect(describeConfig(loadConfig(ENVIRONMENT))).not.toContain('hunter2')
    expect(describeConfig(loadConfig({}))).toContain('\nSTATIC_CLIENT_SECRET=\n')
  })

  it('shows no query of a URL, in which a secret could be', () => {
    const text = describeConfig(loadConfig({ DEX_TOKEN_URL: 'https://dex.example.com/token?key=hunter2' }))
    expect(text).toContain('\nDEX_TOKEN_URL=https://dex.example.com/token?...\n')
    expect(text).not.toContain('hunter2')
  })

  it('leaves the variables of the gate empty while there is none', () => {
    expect(describeConfig(loadConfig({}))).toContain('\nJWT_HEADER=\n')
  })

  it('shows what DEX_ISSUER makes of the others: no token endpoint, and its own issuer at the gate', () => {
    const env = {
      DEX_ISSUER: 'https://dex.example.com/',
      JWT_AUDIENCE: 'orders',
      STATIC_CLIENT_ID: 'reports',
    }
    const config = loadConfig({
      ...env,
      ADMIN_ADDR: 'off',
      REFRESH_AHEAD_RATIO: '1e-7',
      MAX_TOKEN_AGE: '90m',
    })
    const text = describeConfig(config)
    const lines = [
      'DEX_ISSUER=https://dex.example.com/',
      'DEX_TOKEN_URL=',
      'JWKS_URL=',
      'JWT_ISSUER=https://dex.example.com/',
      'REFRESH_AHEAD_RATIO=1e-7',
      'MAX_TOKEN_AGE=1h30m',
    ]
    expect(text.split('\n')).toEqual(expect.arrayContaining(lines))
    expect(loadConfig(parseEnv(text))).toStrictEqual(config)
  })

  it('describes a configuration that loads as the same one', () => {
    const config = loadConfig(ENVIRONMENT)
    const again = loadConfig({ ...parseEnv(describeConfig(config)), STATIC_CLIENT_SECRET: 'hunter2' })
    // The notes are about what is left to a default, and this text sets everything.
    expect(again).toStrictEqual({ ...config, notes: [] })
  })
})
