import { ruleLimits } from './rule-limits.ts'
import type { RuleVariables } from './rule-variables.ts'

/** Evaluates an expression. Throws when it fails. */
export type Evaluate = (variables: RuleVariables) => unknown

/** The result of an operand of `&&`: a boolean, or its failure. */
export type OperandResult = boolean | Error

/** The members of `request` by which results are remembered: short texts that few values fill. */
const rememberedMembers = ['method', 'host'] as const

/** An operand of the `&&` at the top of an expression, or all of it. */
export class Operand {
  readonly text: string
  /** Whether it reads nothing but `caller`, so that its value is the same for each request of a caller. */
  readonly readsCallerOnly: boolean
  readonly #evaluate: Evaluate
  /** The only thing that it reads, when that is one of the remembered members. */
  readonly #member: (typeof rememberedMembers)[number] | undefined
  readonly #results = new Map<string, OperandResult>()

  constructor(text: string, evaluate: Evaluate, reads: ReadonlySet<string>) {
    this.text = text
    this.readsCallerOnly = [...reads].every(name => name.startsWith('caller.'))
    this.#evaluate = evaluate
    this.#member = rememberedMembers.find(member => reads.size === 1 && reads.has(`request.${member}`))
  }

  /** Its value for a check. Remembered where it depends on one short text only; a failure is a value too. */
  resultIn(variables: RuleVariables): OperandResult {
    if (this.#member === undefined) return this.#resultIn(variables)
    let text: string
    try {
      text = variables.request[this.#member]
    } catch {
      // A repeated host: the expression fails in the same way.
      return this.#resultIn(variables)
    }
    const known = this.#results.get(text)
    if (known !== undefined) return known
    const result = this.#resultIn(variables)
    // Callers choose the texts, so both their length and their number are bounded.
    if (text.length > ruleLimits.rememberedTextLength) return result
    if (this.#results.size >= ruleLimits.rememberedTexts) this.#results.clear()
    this.#results.set(text, result)
    return result
  }

  #resultIn(variables: RuleVariables): OperandResult {
    try {
      const value = this.#evaluate(variables)
      return typeof value === 'boolean' ? value : new NotBoolean(this.text)
    } catch (error) {
      return error instanceof Error ? error : new NotBoolean(this.text)
    }
  }
}

/** An operand such as `caller.claims.admin` whose value is not a boolean. */
class NotBoolean extends Error {
  readonly code: string = 'invalid_logical_operand'
  readonly node: { input: string; start: number; end: number }

  constructor(text: string) {
    super()
    this.node = { input: text, start: 0, end: text.length }
  }
}
