import type { AuthenticatedCaller, Choice, ChooseClient, Denial, IncomingRequest } from '@broker/core'
import { CallerState } from './caller-state.ts'
import type { CompiledRule, Refusal } from './compiled-rule.ts'
import { type FailureReport, FailureReports } from './failure-reports.ts'
import { RuleVariables } from './rule-variables.ts'

/** How one rule fared with a request. */
export interface RuleExplanation {
  /** The name of the rule. */
  readonly rule: string
  /** `failed` and `refused` deny the request; a rule after the one that decided is `not reached`. */
  readonly outcome: 'matched' | 'not matched' | 'failed' | 'refused' | 'not reached'
  /** Why it failed or refused, without values of the caller. */
  readonly problem?: string | undefined
  /** The first operand of the `&&` in `when` that was false; all of `when` without `&&`. */
  readonly falseOperand?: string | undefined
}

/** How a choice came about. */
export interface Explanation {
  /** The outcome of each rule, in their order. */
  readonly rules: readonly RuleExplanation[]
  /** The choice of the rule that decided, or the refusal when none did. */
  readonly choice: Choice
}

/** The surroundings of `Rules`. */
export interface RulesOptions {
  /** Receives expressions that failed: for each rule the first one, then at most one in ten seconds. */
  readonly onFailure?: ((failure: FailureReport) => void) | undefined
  /** A monotonic clock, in milliseconds. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

const noMatch: Denial = Object.freeze({ deny: 'no rule matches' })

/** Ordered rules: the first that matches decides, and a request that none matches is denied. */
export class Rules {
  /** The headers that any rule sets, in lower case: the option `backendHeaders`. */
  readonly backendHeaders: readonly string[]
  readonly #rules: readonly CompiledRule[]
  readonly #failures: FailureReports
  /** By claims, which are the same object for the same JWT. */
  readonly #callers = new WeakMap<object, CallerState>()
  readonly #anonymous: CallerState

  /** Takes rules that are compiled, in the order in which they are asked. */
  constructor(rules: readonly CompiledRule[], options: RulesOptions = {}) {
    this.#rules = rules
    this.#failures = new FailureReports(options.onFailure, options.now ?? (() => performance.now()))
    this.#anonymous = new CallerState(undefined, rules.length)
    this.backendHeaders = [...new Set(rules.flatMap(rule => rule.set.map(({ header }) => header)))]
  }

  /** The option `chooseClient`; it needs no `this`. An expression that fails denies the request. */
  readonly choose: ChooseClient = (caller, request) => {
    const state = this.#stateOf(caller)
    const variables = new RuleVariables(state.variable, request)
    const rules = this.#rules
    for (let index = 0; index < rules.length; index += 1) {
      const rule = rules[index] as CompiledRule
      // Most rules are for other callers. One that reads the path must still refuse an unclear path.
      if (state.parts[index] === false && !rule.mayRefusePath) continue
      const judgement = rule.judge(index, state, variables, request)
      if (judgement === false) continue
      const result = judgement === true ? rule.choice(index, state, variables) : judgement
      if (!isRefusal(result)) return result
      if (result.outcome === 'failed') this.#failures.add(rule.name, result.problem)
      return result.denial
    }
    return noMatch
  }

  /** Tells how each rule fares with a request, and what `choose` returns for it. Reports no failure. */
  explain(caller: AuthenticatedCaller | undefined, request: IncomingRequest): Explanation {
    const state = this.#stateOf(caller)
    const variables = new RuleVariables(state.variable, request)
    const rules: RuleExplanation[] = []
    let choice: Choice | undefined
    for (const [index, rule] of this.#rules.entries()) {
      if (choice !== undefined) {
        rules.push({ rule: rule.name, outcome: 'not reached' })
        continue
      }
      const judgement = rule.judge(index, state, variables, request)
      if (judgement === false) {
        rules.push({ rule: rule.name, outcome: 'not matched', falseOperand: rule.falseOperand(variables) })
        continue
      }
      const result = judgement === true ? rule.choice(index, state, variables) : judgement
      if (isRefusal(result)) {
        rules.push({ rule: rule.name, outcome: result.outcome, problem: result.problem })
        choice = result.denial
      } else {
        rules.push({ rule: rule.name, outcome: 'matched' })
        choice = result
      }
    }
    return { rules, choice: choice ?? noMatch }
  }

  #stateOf(caller: AuthenticatedCaller | undefined): CallerState {
    if (caller === undefined) return this.#anonymous
    const known = this.#callers.get(caller.claims)
    if (known?.isOf(caller)) return known
    const state = new CallerState(caller, this.#rules.length)
    this.#callers.set(caller.claims, state)
    return state
  }
}

function isRefusal(result: Choice | Refusal): result is Refusal {
  return 'denial' in result
}
