import { ruleLimits } from './rule-limits.ts'

/** The searches in text that one evaluation can make. Macros repeat them, and their cost is a product of two lengths. */
export class EvaluationBudget {
  #steps = 0

  /** Starts an evaluation; they are synchronous, so there is one at a time. */
  start(): void {
    this.#steps = 0
  }

  /** Throws when an evaluation needs too many steps. */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > ruleLimits.searchSteps) throw new SearchTooLong()
  }
}

/** The failure of an expression that searches too much text. */
export class SearchTooLong extends RangeError {
  override readonly name: string = 'SearchTooLong'
  constructor() {
    super('too much text to search')
  }
}
