import { TooManyParts } from './cel-environment.ts'
import { SearchTooLong } from './evaluation-budget.ts'

/** Why an expression failed, in words that hold nothing of a caller: the text is the configuration's. */
export function evaluationProblem(error: unknown): string {
  const { code, node } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    node?: { input?: unknown; start?: unknown; end?: unknown }
  }
  const problem = typeof code === 'string' && Object.hasOwn(problems, code) ? problems[code] : undefined
  const { input, start, end } = node ?? {}
  const place =
    typeof input === 'string' && typeof start === 'number' && typeof end === 'number'
      ? ` in ${input.slice(start, end)}`
      : ''
  return `${problem ?? ownProblem(error)}${place}`
}

/** Whether an expression failed because a member, key or item is absent. */
export function isAbsence(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'no_such_key' || code === 'index_out_of_bounds'
}

/** By the library's codes. Its own messages hold values. */
const problems: Readonly<Record<string, string>> = {
  no_such_key: 'a value is absent',
  index_out_of_bounds: 'a list is too short',
  index_out_of_range: 'a position is outside the text',
  no_such_overload: 'a value has the wrong type',
  no_matching_overload: 'a value has the wrong type',
  unsupported_type: 'a value has the wrong type',
  field_type_mismatch: 'a value has the wrong type',
  list_item_type_mismatch: 'a value has the wrong type',
  variable_type_mismatch: 'a value has the wrong type',
  invalid_comprehension_range: 'a value is neither a list nor a map',
  invalid_logical_operand: 'a value is not a boolean',
  invalid_condition_type: 'a value is not a boolean',
  numeric_overflow: 'a number is too large',
  division_by_zero: 'division by zero',
  modulo_by_zero: 'division by zero',
}

/** The failures of the functions defined here have fixed texts; other messages may hold values. */
function ownProblem(error: unknown): string {
  return error instanceof SearchTooLong || error instanceof TooManyParts
    ? error.message
    : 'a value cannot be used'
}
