import type { AuthenticatedCaller, Choice } from '@broker/core'
import { exceedsLimits } from './cel-value.ts'
import type { OperandResult } from './operand.ts'
import { CallerVariable } from './rule-variables.ts'

/** The results for a caller that hold from one check to the next. */
export class CallerState {
  readonly variable: CallerVariable | undefined
  /** By rule: the value of the operands that read only the caller; empty until the rule is first judged. */
  readonly parts: (OperandResult | undefined)[]
  /** By rule: the choice, where nothing in it depends on the request. */
  readonly choices: (Choice | undefined)[]
  readonly #caller: AuthenticatedCaller | undefined
  #claimsAreTooLarge: boolean | undefined
  #groupsAreTooMany: boolean | undefined

  constructor(caller: AuthenticatedCaller | undefined, rules: number) {
    this.#caller = caller
    this.variable = caller === undefined ? undefined : new CallerVariable(caller)
    this.parts = new Array(rules).fill(undefined)
    this.choices = new Array(rules).fill(undefined)
  }

  get claimsAreTooLarge(): boolean {
    this.#claimsAreTooLarge ??= exceedsLimits(this.#caller?.claims)
    return this.#claimsAreTooLarge
  }

  get groupsAreTooMany(): boolean {
    this.#groupsAreTooMany ??= exceedsLimits(this.#caller?.groups)
    return this.#groupsAreTooMany
  }

  /** Whether this is the state of a caller. The claims alone do not say it: another gate may read them differently. */
  isOf(caller: AuthenticatedCaller): boolean {
    const known = this.#caller
    return (
      known !== undefined &&
      known.issuer === caller.issuer &&
      known.subject === caller.subject &&
      known.clientId === caller.clientId &&
      areEqual(known.groups, caller.groups)
    )
  }
}

function areEqual(some: readonly string[], others: readonly string[]): boolean {
  return (
    some === others || (some.length === others.length && some.every((each, index) => each === others[index]))
  )
}
