import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { hostsIn } from '../../src/terraform/hosts-file.ts'

function faultsOf(text: string): readonly string[] {
  try {
    hostsIn('hosts.yaml', text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n')
  }
}

test('an entry is a token request, and how long its token must be valid', () => {
  const hosts = hostsIn(
    'hosts.yaml',
    `hosts:
  registry.example.com: { client: ci, scope: groups, audiences: [opendepot], minRemaining: 15m }
  127.0.0.1:8443: {}
`,
  )
  expect([...hosts]).toEqual([
    [
      'registry.example.com',
      { client: 'ci', scope: 'groups', audiences: ['opendepot'], minRemainingMs: 900_000 },
    ],
    ['127.0.0.1:8443', { minRemainingMs: 60_000 }],
  ])
})

test('JSON is a hosts file, too', () => {
  expect(hostsIn('hosts.json', '{"hosts": {"a.example.com": {"client": "ci"}}}').size).toBe(1)
})

test('every fault has its line, its column, and an example where one helps', () => {
  const faults = faultsOf(`hosts:
  https://registry.example.com: {}
  "*.example.com": {}
  a.example.com: { clients: x, minRemaining: 5 }
  A.example.com:443: {}
  b.example.com:
  c.example.com: { minRemaining: 100h, audiences: [] }
`)
  expect(faults).toEqual([
    'hosts.yaml:2:3: hosts["https://registry.example.com"]: is a URL; name the host alone, with its port unless that is 443',
    'hosts.yaml:3:3: hosts["*.example.com"]: has a *; name each host',
    'hosts.yaml:4:20: hosts["a.example.com"].clients: is not a known key; did you mean client?',
    'hosts.yaml:4:46: hosts["a.example.com"].minRemaining: must be text; put it in quotes; example: minRemaining: "15m"',
    'hosts.yaml:5:3: hosts["A.example.com:443"]: is the same host as another entry, a.example.com',
    'hosts.yaml:6:3: hosts["b.example.com"]: has no value; example: hosts: { registry.example.com: { client: ci-pipeline } }',
    'hosts.yaml:7:34: hosts["c.example.com"].minRemaining: "100h" is longer than 24h; example: minRemaining: "15m"',
    'hosts.yaml:7:51: hosts["c.example.com"].audiences: must not be an empty list; example: audiences: [opendepot]',
  ])
})

test.each([
  ['', 'hosts.yaml:1:1: hosts: is missing'],
  ['host: {}', 'hosts.yaml:1:1: host: is not a known key; did you mean hosts?'],
  ['hosts: [registry.example.com]', 'hosts.yaml:1:8: hosts: must be a map of keys and values'],
  ['hosts: [', 'hosts.yaml:1:9: flow sequence'],
])('%j: %s', (text, fault) => {
  expect(faultsOf(text).some(line => line.startsWith(fault))).toBe(true)
})
