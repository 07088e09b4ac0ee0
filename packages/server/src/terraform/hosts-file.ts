import * as z from 'zod'
import { ConfigError, type FileFault } from '../config/config-error.ts'
import { exampleAt } from '../config/file/example-at.ts'
import { type FileFinding, pathText } from '../config/file/file-finding.ts'
import { key, list, name, parsed, peer, scope } from '../config/file/file-values.ts'
import { schemaFindings, valueAt } from '../config/file/schema-findings.ts'
import { parseYaml } from '../config/file/yaml-file.ts'
import { parseMilliseconds } from '../config/values/milliseconds.ts'
import { readTextFile } from '../config/values/read-text-file.ts'
import { Refusal } from '../config/values/refusal.ts'
import { listedHost } from './comparable-host.ts'

/** Larger than any hosts file that people write. */
const maxHostsBytes = 262_144
/** `tofu init` finishes in it. */
const defaultMinRemaining = '1m'

const minRemaining = (text: string) => parseMilliseconds(text, { min: 0, max: 86_400_000 })

const hostSchema = z.strictObject({
  client: key(
    name,
    'Name of a client of the configuration file. Default: the one of `STATIC_CLIENT_ID`.',
    'ci-pipeline',
  ).optional(),
  scope: key(
    scope,
    "Scopes to request, separated by blanks. Default: the client's scope.",
    'groups',
  ).optional(),
  audiences: key(
    list(peer),
    "Client ids of the services that accept the token. Default: the client's audiences.",
    ['opendepot'],
  ).optional(),
  minRemaining: key(
    parsed(minRemaining, { default: defaultMinRemaining }),
    `Shortest time that a token must be valid for. Default: \`${defaultMinRemaining}\`.`,
    '15m',
  ).optional(),
})

const hostsFileSchema = z
  .strictObject({
    hosts: key(
      z.record(z.string(), hostSchema),
      'The hosts by their names, each with its port unless that is 443. Every other host gets no token.',
      { 'registry.example.com': { client: 'ci-pipeline' } },
    ),
  })
  .meta({ title: 'terraform-credentials-dex hosts file' })

/** A token request for a host, and how long its token must be valid for. */
export interface HostEntry {
  readonly client?: string
  readonly scope?: string
  readonly audiences?: readonly string[]
  readonly minRemainingMs: number
}

/** The entries of a hosts file by their hosts, as `comparableHost` writes them. */
export type Hosts = ReadonlyMap<string, HostEntry>

/** Reads a hosts file from the disk. Throws a `ConfigError` with every fault, or a `Refusal` that names the path. */
export function readHostsFile(path: string): Hosts {
  return readTextFile(path, maxHostsBytes, text => hostsIn(path, text))
}

/** The hosts of the text of a file. Throws a `ConfigError` that lists every fault with its line and column. */
export function hostsIn(path: string, text: string): Hosts {
  const yaml = parseYaml(text)
  const faultAt = ({
    path: place,
    problem,
    isKey,
    example = exampleAt(place, hostsFileSchema),
  }: FileFinding) => {
    const { line, column } = isKey ? yaml.keyPositionOf(place) : yaml.positionOf(place)
    const fault: FileFault = { file: path, line, column, key: pathText(place), problem }
    return typeof example === 'string' ? { ...fault, example } : fault
  }
  if (yaml.faults.length > 0)
    throw new ConfigError(yaml.faults.map(fault => ({ file: path, key: '', ...fault })))
  const value = yaml.value ?? {}
  const { hosts, findings } = listed(value)
  const faults = [...schemaFindings(value, hostsFileSchema), ...findings].map(faultAt)
  if (faults.length > 0)
    throw new ConfigError(faults.sort((one, other) => one.line - other.line || one.column - other.column))
  return hosts
}

/** The hosts in the spelling of calls, and the faults in the names of the file. */
function listed(file: unknown): { readonly hosts: Hosts; readonly findings: readonly FileFinding[] } {
  const hosts = new Map<string, HostEntry>()
  const findings: FileFinding[] = []
  const entries = valueAt(file, ['hosts'])
  const isMap = typeof entries === 'object' && entries !== null && !Array.isArray(entries)
  for (const [written, entry] of isMap ? Object.entries(entries) : []) {
    const found = (problem: string) =>
      findings.push({ path: ['hosts', written], problem, isKey: true, example: false })
    try {
      const host = listedHost(written)
      if (hosts.has(host)) found(`is the same host as another entry, ${host}`)
      hosts.set(host, entryOf(entry))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const problem of error.problems) found(problem)
    }
  }
  return { hosts, findings }
}

/** The schema has judged the entry when it is used. */
function entryOf(entry: unknown): HostEntry {
  const checked = hostSchema.safeParse(entry).data
  const { minRemaining: text = defaultMinRemaining, ...request } = checked ?? {}
  return { ...(request as Omit<HostEntry, 'minRemainingMs'>), minRemainingMs: minRemaining(text) }
}
