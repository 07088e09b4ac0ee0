import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { ConfigError } from '../../../packages/server/src/config/config-error.ts'
import { configFrom } from '../../../packages/server/src/config/config-from.ts'
import { readConfigFile } from '../../../packages/server/src/config/file/config-file.ts'
import { YamlConfigReader } from '../../../packages/server/src/config/file/yaml-config-reader.ts'
import { parseYaml } from '../../../packages/server/src/config/file/yaml-file.ts'
import type { ReadTextFile } from '../../../packages/server/src/config/values/read-text-file.ts'
import { repository } from '../block-coverage.ts'
import { assertExpected } from '../expected-error.ts'
import { assertHidesSecret, secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

const file = '/etc/broker.yaml'
const shipped = [
  'docs/configuration-file.yaml',
  'examples/opendepot/broker.yaml',
  'examples/rules/broker.yaml',
  'docs/rules/10-pattern.yaml',
  'docs/rules/12-route.yaml',
]
const env = { CONFIG_FILE: file, REPORTS_SECRET: secret }

/**
 * Configuration files, with the rules in them. Nothing but a `ConfigError` is thrown; each fault has a place inside the file; no message
 * shows a secret. The reference is `yaml`.
 */
export const configurationFileTarget: Target = {
  name: 'configuration-file',
  seeds: [
    ...shipped.map(each => readFileSync(path.join(repository, each), 'utf8')),
    `apiVersion: dex-token-broker/v1\nclients:\n  - name: a\n    clientId: a\n    clientSecret: "${secret}"\n`,
    'clients:\n  - { name: a, clientId: a, clientSecret: { env: REPORTS_SECRET }, resource: [https://a.example, "urn:b"], extraParams: { audience: a, tenant: b } }\n',
    'settings: { HTTP_TIMEOUT: &t 3s, LOG_LEVEL: *t }\n',
    '',
  ],
  dictionary: [
    '\n',
    '  ',
    '- ',
    ': ',
    '&a ',
    '*a',
    '!!str ',
    '"',
    "'",
    '|',
    '>-',
    '{',
    '}',
    '[',
    ']',
    '---\n',
    '...',
    '%YAML 1.1\n',
    '#',
    '<<: ',
    '? ',
    'when: ',
    '"client:x" in caller.groups',
  ],
  maxBytes: 6_000,
  // Two readings, CEL compilers for each rule, and the reference.
  maxCpuMs: 1_000,
  sources: [
    'yaml-file',
    'config-file',
    'schema-findings',
    'entry-findings',
    'name-findings',
    'file-parts',
    'scalar-offset',
    'client-secret',
    'issuer-urls',
  ].map(each => `packages/server/src/config/file/${each}.ts`),
  judge(input) {
    const text = input.toString()
    const lines = text.split(/\r\n|\r|\n/).length
    const read = readConfigFile(file, text)
    for (const { line, column, problem } of read.faults) {
      assertExpected(line >= 1 && line <= lines + 1 && column >= 1, `${line}:${column} of ${lines} lines`)
      assert.doesNotMatch(problem, /[\r\n]/)
    }
    if (!read.isMalformed) assertLikeReference(text)
    const readText: ReadTextFile = (name, _limit, use) => use(name === file ? text : `${secret}\n`)
    try {
      configFrom(env, new YamlConfigReader(), readText)
    } catch (error) {
      assertExpected(error instanceof ConfigError, error)
      assertHidesSecret(error.message)
    }
  },
}

function assertLikeReference(text: string): void {
  const reference = parse(text, {
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    maxAliasCount: 100,
    stringKeys: true,
  })
  assert.deepEqual(parseYaml(text).value ?? null, reference ?? null)
}
