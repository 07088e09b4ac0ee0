import { configSchema, variableNames } from './config-schema.ts'
import type { VariableName } from './config-shape.ts'
import { factsOf, type VariableFacts } from './variable.ts'

/** A variable with everything that the reference says about it. */
export interface DocumentedVariable extends VariableFacts {
  readonly name: VariableName
}

/** Variables that belong together, under the heading that the reference gives them. */
export interface VariableGroup {
  readonly title: string
  readonly variables: readonly DocumentedVariable[]
}

/** The variables as `--help`, docs/configuration.md and .env.example list them. */
export function variableGroups(): readonly VariableGroup[] {
  const groups = new Map<string, DocumentedVariable[]>()
  for (const name of variableNames) {
    const facts = factsOf(configSchema.shape[name])
    const variables = groups.get(facts.group) ?? []
    groups.set(facts.group, [...variables, { name, ...facts }])
  }
  return [...groups].map(([title, variables]) => ({ title, variables }))
}
