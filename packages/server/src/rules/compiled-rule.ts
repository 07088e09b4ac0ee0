import type { Choice, Denial, IncomingRequest } from '@broker/core'
import type { CallerState } from './caller-state.ts'
import { exceedsLimits } from './cel-value.ts'
import type { CompiledExpression } from './compiled-expression.ts'
import type { EvaluationBudget } from './evaluation-budget.ts'
import { evaluationProblem, isAbsence } from './evaluation-failure.ts'
import type { Operand, OperandResult } from './operand.ts'
import { ruleLimits } from './rule-limits.ts'
import type { RuleVariables } from './rule-variables.ts'

/** A header for the backend. */
export interface HeaderExpression {
  /** In lower case. */
  readonly header: string
  readonly expression: CompiledExpression
}

/** A rule that denies the request although it was not configured to. */
export interface Refusal {
  /** `failed` for an expression, `refused` for a request or caller that the rule cannot judge. */
  readonly outcome: 'failed' | 'refused'
  /** Without values of the caller. */
  readonly problem: string
  readonly denial: Denial
}

/** A rule that is ready to judge requests. */
export class CompiledRule {
  readonly name: string
  readonly when: CompiledExpression
  readonly set: readonly HeaderExpression[]
  readonly #action: Choice
  readonly #budget: EvaluationBudget
  readonly #reads: ReadonlySet<string>
  readonly #callerOperands: readonly Operand[]
  readonly #requestOperands: readonly Operand[]
  readonly #setReadsCallerOnly: boolean
  readonly #unclearPath: Refusal
  readonly #unknownPath: Refusal
  readonly #tooManyItems: Refusal
  readonly #contextTooLarge: Refusal

  /** `action` is the choice without `set`. */
  constructor(
    name: string,
    when: CompiledExpression,
    action: Choice,
    set: readonly HeaderExpression[],
    budget: EvaluationBudget,
  ) {
    this.name = name
    this.#budget = budget
    this.when = when
    this.set = set
    this.#action = Object.freeze({ ...action, rule: name })
    this.#reads = new Set(
      [when, ...set.map(({ expression }) => expression)].flatMap(({ reads }) => [...reads]),
    )
    this.#callerOperands = when.operands.filter(({ readsCallerOnly }) => readsCallerOnly)
    this.#requestOperands = when.operands.filter(({ readsCallerOnly }) => !readsCallerOnly)
    this.#setReadsCallerOnly = set.every(({ expression }) =>
      [...expression.reads].every(name => name.startsWith('caller.')),
    )
    this.#unclearPath = refusal(
      name,
      'the path is ambiguous',
      'a backend could read the path in another way, and the rule reads request.path',
    )
    this.#unknownPath = refusal(name, 'the path is unknown', 'the path is unknown, and the rule reads it')
    this.#tooManyItems = refusal(
      name,
      'a claim has too many items',
      `a claim that the rule reads has more than ${ruleLimits.listItems} items, or is nested too deep`,
    )
    this.#contextTooLarge = refusal(
      name,
      'the context has too many entries',
      `the rule reads context, which has more than ${ruleLimits.listItems} entries`,
    )
    this.#readsPath = this.#reads.has('request.path')
    this.#readsRawPath = this.#reads.has('request.rawPath') || this.#reads.has('request.query')
    this.#readsClaims = this.#reads.has('caller.claims')
    this.#readsGroups = this.#reads.has('caller.groups')
    this.#readsContext = this.#reads.has('context')
  }

  readonly #readsPath: boolean
  readonly #readsRawPath: boolean
  readonly #readsClaims: boolean
  readonly #readsGroups: boolean
  readonly #readsContext: boolean

  /** Whether the rule refuses some requests for their path, whoever their caller is. */
  get mayRefusePath(): boolean {
    return this.#readsPath || this.#readsRawPath
  }

  /** Whether the rule matches. `index` is its place among the rules. */
  judge(
    index: number,
    state: CallerState,
    variables: RuleVariables,
    request: IncomingRequest,
  ): boolean | Refusal {
    // First, whatever the expression says: a rule that reads the path cannot say no because the path is unclear.
    if (this.#readsPath && !request.isPathClear) return this.#unclearPath
    if (this.#readsRawPath && request.rawPath === '') return this.#unknownPath
    if (this.#readsClaims && state.claimsAreTooLarge) return this.#tooManyItems
    if (this.#readsGroups && state.groupsAreTooMany) return this.#tooManyItems
    let part = state.parts[index]
    if (part === undefined) {
      part = this.#conjunction(this.#callerOperands, variables)
      state.parts[index] = part
    }
    // As in CEL, false beats a failure, wherever it stands.
    if (part === false) return false
    if (this.#readsContext && exceedsLimits(request.context)) return this.#contextTooLarge
    if (this.#requestOperands.length > 0) {
      const rest = this.#conjunction(this.#requestOperands, variables)
      if (rest === false) return false
      if (part === true) part = rest
    }
    return part === true ? true : this.#failure(part)
  }

  /** The choice of a rule that matches. */
  choice(index: number, state: CallerState, variables: RuleVariables): Choice | Refusal {
    if (this.set.length === 0) return this.#action
    const known = state.choices[index]
    if (known !== undefined) return known
    const set: Record<string, string | undefined> = {}
    for (const { header, expression } of this.set) {
      this.#budget.start()
      try {
        const value = expression.evaluate(variables)
        set[header] = typeof value === 'string' ? value : undefined
      } catch (error) {
        if (!isAbsence(error)) return this.#failure(error)
        set[header] = undefined
      }
    }
    const choice = Object.freeze({ ...this.#action, set: Object.freeze(set) })
    if (this.#setReadsCallerOnly) state.choices[index] = choice
    return choice
  }

  /** False when one operand is false, else the first failure, else true. */
  #conjunction(operands: readonly Operand[], variables: RuleVariables): OperandResult {
    let result: OperandResult = true
    for (const operand of operands) {
      this.#budget.start()
      const value = operand.resultIn(variables)
      if (value === false) return false
      if (value !== true && result === true) result = value
    }
    return result
  }

  /** The text of the first operand of `when` that is false. */
  falseOperand(variables: RuleVariables): string | undefined {
    return this.when.operands.find(operand => this.#conjunction([operand], variables) === false)?.text
  }

  #failure(error: unknown): Refusal {
    return {
      outcome: 'failed',
      problem: evaluationProblem(error),
      denial: { deny: 'a rule cannot be evaluated', rule: this.name },
    }
  }
}

/** `deny` is for the caller, `problem` for the operator. */
function refusal(rule: string, deny: string, problem: string): Refusal {
  return Object.freeze({ outcome: 'refused', problem, denial: Object.freeze({ deny, rule }) })
}
