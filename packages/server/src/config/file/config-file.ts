import type { FileFault } from '../config-error.ts'
import type { VariableName } from '../schema/config-schema.ts'
import { exampleAt } from './example-at.ts'
import { type FileFinding, pathText } from './file-finding.ts'
import type { ClientDefinition, IssuerDefinition } from './file-schema.ts'
import { nameFindings } from './name-findings.ts'
import type { RuleDefinition } from './rule-schema.ts'
import { schemaFindings, valueAt } from './schema-findings.ts'
import { settingNames } from './settings-schema.ts'
import { type FilePath, parseYaml } from './yaml-file.ts'

/** An entry of a list in the file, and its place. */
export interface Entry<Definition> {
  readonly path: FilePath
  readonly definition: Definition
}

/** A configuration file as it is written. Its meaning together with the variables is decided later. */
export interface ConfigFile {
  readonly path: string
  /** The texts of the settings, as a variable would have them. */
  readonly texts: Readonly<Partial<Record<VariableName, string>>>
  /** The entries with a valid structure. */
  readonly issuers: readonly Entry<IssuerDefinition>[]
  readonly clients: readonly Entry<ClientDefinition>[]
  readonly rules: readonly Entry<RuleDefinition>[]
  /** The names of all issuers and clients, so that a fault in one does not cause another in a rule that names it. */
  readonly names: { readonly issuers: readonly string[]; readonly clients: readonly string[] }
  /** Which sections have entries, faulty ones included. */
  readonly has: { readonly issuers: boolean; readonly clients: boolean; readonly rules: boolean }
  /** Whether it has no entry at all: it may be a file that is being written. */
  readonly isEmpty: boolean
  readonly faults: readonly FileFault[]
  /** Whether it is not YAML, so that nothing is known of what is in it. */
  readonly isMalformed: boolean
  /** Adds the place in the text to a finding. */
  faultAt(finding: FileFinding): FileFault
}

/** Reads the text of a configuration file. Reads nothing else, and throws nothing. */
export function readConfigFile(path: string, text: string): ConfigFile {
  const yaml = parseYaml(text)
  const faultAt = ({ path: place, problem, offset, isKey, example = exampleAt(place) }: FileFinding) => {
    const { line, column } = isKey ? yaml.keyPositionOf(place) : yaml.positionOf(place, offset)
    const fault = { file: path, line, column, key: pathText(place), problem }
    return example === false || example === undefined ? fault : { ...fault, example }
  }
  // An empty file is an empty map.
  const value = yaml.value ?? {}
  const findings = yaml.faults.length > 0 ? [] : schemaFindings(value)
  // An unknown key changes no other: the rest of the entry can be checked.
  const isFaulty = (place: FilePath) =>
    findings.some(({ path: fault, isKey }) => !isKey && place.every((step, index) => fault[index] === step))
  const entries = <Definition>(section: string): Entry<Definition>[] =>
    listAt(value, section).flatMap((definition, index) => {
      const place = [section, index]
      return isFaulty(place) ? [] : [{ path: place, definition: definition as Definition }]
    })
  const [issuers, clients, rules] = ['issuers', 'clients', 'rules'].map(section => listAt(value, section))
  const isUsable = (name: VariableName) =>
    valueAt(value, ['settings', name]) !== undefined && !isFaulty(['settings', name])
  const texts = Object.fromEntries(
    settingNames.filter(isUsable).map(name => {
      const place = ['settings', name]
      const setting = valueAt(value, place)
      // A number in the spelling of the file: 0123 as a client id keeps its zero.
      return [name, Array.isArray(setting) ? setting.join(',') : (yaml.textAt(place) ?? '')]
    }),
  )
  const lists = [issuers, clients, rules]
  return {
    path,
    texts,
    issuers: entries('issuers'),
    clients: entries('clients'),
    rules: entries('rules'),
    names: { issuers: namesIn(issuers), clients: namesIn(clients) },
    has: {
      issuers: (issuers ?? []).length > 0,
      clients: (clients ?? []).length > 0,
      rules: (rules ?? []).length > 0,
    },
    isEmpty: Object.keys(texts).length === 0 && lists.every((list = []) => list.length === 0),
    faults: [
      ...yaml.faults.map(fault => ({ file: path, key: '', ...fault })),
      ...[...findings, ...nameFindings(value)].map(faultAt),
    ],
    isMalformed: yaml.faults.length > 0,
    faultAt,
  }
}

function listAt(value: unknown, section: string): readonly unknown[] {
  const list = valueAt(value, [section])
  return Array.isArray(list) ? list : []
}

function namesIn(list: readonly unknown[] = []): readonly string[] {
  return list.map(entry => valueAt(entry, ['name'])).filter(name => typeof name === 'string')
}
