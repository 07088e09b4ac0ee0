import type { ChooseClient } from '@broker/core'
import type { RuleDefinition } from './file-schema.ts'

/** What rules are checked against. */
export interface RuleContext {
  /** The names of the issuers. */
  readonly issuers: readonly string[]
  /** The names of the clients. */
  readonly clients: readonly string[]
  readonly hasGate: boolean
}

/** Rules, ready to decide. */
export interface CompiledRules {
  readonly choose: ChooseClient
  /** The headers for the backend that any of them sets. */
  readonly backendHeaders: readonly string[]
}

/** A fault in a rule. */
export interface RuleFault {
  /** `['rules', 3, 'when']`. */
  readonly path: readonly (string | number)[]
  /** The index of the character in the expression. */
  readonly offset?: number | undefined
  readonly problem: string
}

/** Compiles rules. Returns their faults when there are any. */
export type CompileRules = (
  definitions: readonly RuleDefinition[],
  context: RuleContext,
) => CompiledRules | readonly RuleFault[]
