import { RE2JS } from 're2js'
import type { EvaluationBudget } from './evaluation-budget.ts'
import { ruleLimits } from './rule-limits.ts'

/** The compiled patterns of `matches`, by their text, on an engine that never backtracks. */
export class LinearPatterns {
  readonly #engines = new Map<string, { readonly engine: RE2JS; readonly instructions: number }>()
  readonly #budget: EvaluationBudget

  constructor(budget: EvaluationBudget) {
    this.#budget = budget
  }

  /** Compiles a pattern for `matches`. Returns the problem when it cannot be used. */
  add(pattern: string): string | undefined {
    if (this.#engines.has(pattern)) return undefined
    try {
      const engine = RE2JS.compile(pattern)
      const instructions = engine.programSize()
      if (instructions > ruleLimits.patternInstructions) {
        return 'the pattern is too large; use shorter repetitions'
      }
      this.#engines.set(pattern, { engine, instructions })
      return undefined
    } catch (error) {
      const detail = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : ''
      return `the pattern is not valid in RE2 syntax: ${detail}`
    }
  }

  /** Whether a pattern matches somewhere in a text, in time linear to its length. */
  matches(text: string, pattern: string): boolean {
    const compiled = this.#engines.get(pattern)
    if (compiled === undefined) throw new TypeError('the pattern was not compiled')
    this.#budget.spend(text.length * compiled.instructions)
    return compiled.engine.test(text)
  }
}
