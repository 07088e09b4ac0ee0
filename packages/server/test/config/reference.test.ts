import { randomBytes } from 'node:crypto'
import { parseEnv } from 'node:util'
import { MountedVolume } from '@broker/testing'
import { describe, expect, it } from 'vitest'
import { configurationMarkdown } from '../../../../scripts/docs/configuration-markdown.ts'
import { envExample } from '../../../../scripts/docs/env-example.ts'
import { helpText } from '../../src/config/help-text.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { variableNames } from '../../src/config/schema/config-schema.ts'
import { variableGroups } from '../../src/config/schema/variable-groups.ts'

// The table of the Go service's README; undefined where it says "empty".
const GO_DEFAULTS: Readonly<Record<string, string | undefined>> = {
  LISTEN_ADDR: ':8080',
  DEX_TOKEN_URL: 'https://dex.dex.svc.cluster.local/token',
  HTTP_TIMEOUT: '5s',
  CACHE_CLEANUP_INTERVAL: '5m',
  EXPIRY_SAFETY_MARGIN: '30s',
  CACHE_MAX_ENTRIES: '1024',
  ALLOW_INSECURE_DEX_URL: 'false',
  LOG_LEVEL: 'INFO',
  SHUTDOWN_TIMEOUT: '10s',
  UPSTREAM_AUTH_HEADER: 'Authorization',
  UPSTREAM_TOKEN_HEADERS: undefined,
  CLIENT_ID_HEADER: 'x-client-id',
  CLIENT_SECRET_HEADER: 'x-client-secret',
  SCOPE_HEADER: 'x-scope',
  STATIC_CLIENT_ID: undefined,
  STATIC_CLIENT_SECRET: undefined,
  STATIC_SCOPE: undefined,
  JWKS_URL: undefined,
  JWT_HEADER: 'Authorization',
  JWT_ISSUER: undefined,
  JWT_AUDIENCE: undefined,
}

/** The files without which the examples of a shared store are not complete. */
class StoreFiles extends MountedVolume {
  constructor() {
    super({ keys: randomBytes(32).toString('base64'), password: 'hunter2' })
  }

  /** Variables without those of other files. */
  inPlaceOf(variables: readonly (readonly [string, string | undefined])[]): NodeJS.ProcessEnv {
    return {
      ...Object.fromEntries(variables.filter(([name]) => !name.endsWith('_FILE'))),
      SHARED_STORE_KEY_FILE: this.file('keys'),
      SHARED_STORE_PASSWORD_FILE: this.file('password'),
    }
  }
}

const facts = variableGroups().flatMap(({ variables }) => variables)

describe('the schema', () => {
  it.each(Object.entries(GO_DEFAULTS))(
    'has %s with the default of the Go service (%s)',
    (name, defaultText) => {
      expect(facts.find(variable => variable.name === name)).toMatchObject({ defaultText })
    },
  )

  it.each(facts)('describes $name in sentences', ({ description, type }) => {
    expect(description).toMatch(/^[A-Z].*\.$/)
    expect(type).not.toBe('')
  })

  it('has examples that load', () => {
    const examples = facts.map(({ name, example }) => [name, example] as const)
    using files = new StoreFiles()
    expect(() => loadConfig(files.inPlaceOf(examples))).not.toThrow()
  })
})

describe('helpText', () => {
  it('names every variable and its default', () => {
    for (const { name, defaultText } of facts) {
      expect(helpText()).toMatch(new RegExp(`^  ${name} `, 'm'))
      if (defaultText !== undefined) expect(helpText()).toContain(`Default: ${defaultText}`)
    }
  })

  it('is at most 100 columns wide and has no trailing blanks', () => {
    for (const line of helpText().split('\n')) {
      expect(line.length).toBeLessThanOrEqual(100)
      expect(line).toBe(line.trimEnd())
    }
  })
})

describe('configurationMarkdown', () => {
  it.each(facts)(
    'has a heading, type, default and example for $name',
    ({ name, type, defaultText, example }) => {
      const section = configurationMarkdown().split(`### ${name}\n`)[1]?.split('\n#')[0]
      expect(section).toContain(`- Type: ${type}`)
      expect(section).toContain(`- Default: ${defaultText === undefined ? 'not set' : `\`${defaultText}\``}`)
      expect(section).toContain(`- Example: \`${name}=${example}\``)
    },
  )
})

describe('envExample', () => {
  it('changes nothing as it stands', () => {
    expect(parseEnv(envExample())).toEqual({})
  })

  it('has every variable, ready to be uncommented', () => {
    const uncommented = parseEnv(envExample().replace(/^#(?=[A-Z_]+=)/gm, ''))
    expect(Object.keys(uncommented).sort()).toEqual(variableNames.toSorted())
    using files = new StoreFiles()
    expect(() => loadConfig(files.inPlaceOf(Object.entries(uncommented)))).not.toThrow()
  })
})
