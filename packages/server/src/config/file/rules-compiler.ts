import type { CompiledRules, CompileRulesOptions, compileRules } from '../../rules/compile-rules.ts'
import type { RuleDefinition } from '../../rules/rule-definition.ts'
import { RuleFailures } from './rule-failures.ts'

/** Rules, and the failures of their expressions. */
export type CompiledFileRules = CompiledRules & { readonly failures: RuleFailures }

/** Compiles the rules of a configuration file, and returns the last result for the same rules. */
export class RulesCompiler {
  readonly #compile: typeof compileRules
  #last: { readonly key: string; readonly compiled: CompiledFileRules } | undefined

  constructor(compile: typeof compileRules) {
    this.#compile = compile
  }

  /** An arrow function, so that it can be passed on. */
  readonly compile = (
    definitions: readonly RuleDefinition[],
    options: Omit<CompileRulesOptions, 'onFailure' | 'now'>,
  ): CompiledFileRules => {
    const key = JSON.stringify([definitions, options])
    if (this.#last?.key !== key) {
      const failures = new RuleFailures()
      const compiled = this.#compile(definitions, { ...options, onFailure: failures.report })
      this.#last = { key, compiled: { ...compiled, failures } }
    }
    return this.#last.compiled
  }
}
