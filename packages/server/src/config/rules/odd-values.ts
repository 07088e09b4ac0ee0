import { configSchema, type VariableName, variableNames } from '../schema/config-schema.ts'
import type { Variable } from '../schema/variable.ts'
import * as kind from '../schema/variable-kinds.ts'

/** Kinds whose text is used literally, so that no rule rejects quotes or blanks from an env file. */
const literalKinds: ReadonlySet<unknown> = new Set([
  kind.text,
  kind.scope,
  kind.tokenAudiences,
  kind.jwtAudiences,
])
const literalVariables = variableNames.filter(name => {
  const variable: Variable = configSchema[name]
  return literalKinds.has(variable.kind)
})

/**
 * Warns of each text with quotes or blanks around it: `docker --env-file` and Kubernetes keep both. Says where they are
 * and never shows the value.
 */
export function oddValueWarnings(textOf: (variable: VariableName) => string | undefined): string[] {
  return literalVariables.flatMap(name => {
    const oddity = oddityOf(textOf(name) ?? '')
    if (oddity === undefined) return []
    return `${name} ${oddity}; the broker uses the value as it is, so remove them unless they belong to it`
  })
}

function oddityOf(text: string): string | undefined {
  if (/^(["'`]).*\1$/s.test(text) && text.length > 1) return `is in quotes (${text[0]}...${text[0]})`
  const [atStart, atEnd] = [/^\s/.test(text), /\s$/.test(text)]
  if (atStart && atEnd) return 'has blanks at both ends'
  if (atStart) return 'has blanks at its start'
  return atEnd ? 'has blanks at its end' : undefined
}
