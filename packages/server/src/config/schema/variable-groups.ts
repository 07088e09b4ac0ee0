import { configSchema, type VariableName, variableNames } from './config-schema.ts'
import type { Variable } from './variable.ts'

/** A variable as the reference shows it. */
export interface DocumentedVariable extends Omit<Variable, 'kind' | 'rule' | 'option' | 'setting'> {
  readonly name: VariableName
  /** The kind of its values. */
  readonly type: string
}

/** Related variables, under their heading in the reference. */
export interface VariableGroup {
  readonly title: string
  readonly variables: readonly DocumentedVariable[]
}

/** The variables as `--help`, docs/configuration.md and .env.example list them. */
export function variableGroups(): readonly VariableGroup[] {
  const groups = new Map<string, DocumentedVariable[]>()
  for (const name of variableNames) {
    const { kind, rule, ...facts }: Variable = configSchema[name]
    const variables = groups.get(facts.group) ?? []
    groups.set(facts.group, [...variables, { name, type: kind.type(rule), ...facts }])
  }
  return [...groups].map(([title, variables]) => ({ title, variables }))
}
