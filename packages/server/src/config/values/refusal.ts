/**
 * Thrown by the parsers of this folder: the text of one variable cannot be used, for one or more reasons.
 *
 * A problem reads on from the variable's name ("HTTP_TIMEOUT: " + problem) and never holds a secret.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly problems: readonly string[]

  constructor(...problems: string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}
