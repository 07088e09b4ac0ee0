import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ConfigError, type FileFault } from '../../../packages/server/src/config/config-error.ts'
import { comparableHost } from '../../../packages/server/src/terraform/comparable-host.ts'
import { hostsIn } from '../../../packages/server/src/terraform/hosts-file.ts'
import { repository } from '../block-coverage.ts'
import { assertExpected } from '../expected-error.ts'
import type { Target } from '../target.ts'

/**
 * Hosts files of the credentials helper. Nothing but a `ConfigError` is thrown, and each fault has a place inside the file. Each host is in
 * the spelling of calls, so that one that is listed can be found, and no other finds it.
 */
export const hostsFileTarget: Target = {
  name: 'hosts-file',
  seeds: [
    readFileSync(path.join(repository, 'examples/opendepot/terraform/terraform.yaml'), 'utf8'),
    'hosts:\n  café.fr:8443: { client: ci, scope: groups, audiences: [opendepot] }\n  127.0.0.1:443: {}\n',
    '{"hosts": {"registry.example.com": {"minRemaining": "1h30m"}}}',
    '',
  ],
  dictionary: [
    '\n',
    '  ',
    ': ',
    ':443',
    '{',
    '}',
    '[',
    ']',
    '*',
    '&a ',
    '*a',
    '/',
    'xn--',
    '.',
    '"',
    '---\n',
  ],
  maxBytes: 4_000,
  maxCpuMs: 500,
  sources: ['hosts-file', 'comparable-host'].map(each => `packages/server/src/terraform/${each}.ts`),
  judge(input) {
    const text = input.toString()
    const lines = text.split(/\r\n|\r|\n/).length
    try {
      for (const [host, { minRemainingMs }] of hostsIn('hosts.yaml', text)) {
        assert.equal(comparableHost(host), host)
        assert.ok(minRemainingMs >= 0 && minRemainingMs <= 86_400_000)
      }
    } catch (error) {
      assertExpected(error instanceof ConfigError, error)
      for (const { line, column, problem } of error.faults as readonly FileFault[]) {
        assertExpected(line >= 1 && line <= lines + 1 && column >= 1, `${line}:${column} of ${lines} lines`)
        assert.doesNotMatch(problem, /[\r\n]/)
      }
    }
  },
}
