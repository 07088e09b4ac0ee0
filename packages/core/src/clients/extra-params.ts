import { optionRules } from '../options/broker-options.ts'
import { assertPlainObject } from '../options/option-values.ts'
import { ownParameters, type Parameter } from './request-parameters.ts'

/** The spelling of a parameter's name (RFC 6749 appendix A and section 8.2). */
const namePattern = /^[\w.-]+$/
const refusedNames: ReadonlySet<string> = new Set(ownParameters)

/**
 * Returns additional parameters in the order of their names, so that the order in which they are given does not matter. Throws a
 * `TypeError` that starts with `option`.
 */
export function extraParamsOf(params: unknown, option: string): readonly Parameter[] {
  assertPlainObject(params, option)
  const { maxLength } = optionRules['client.extraParams']
  let length = 0
  const parameters: Parameter[] = []
  for (const [name, value] of Object.entries(params)) {
    const problem = extraParamProblem(name, value)
    if (problem !== undefined) throw new TypeError(`${option}: ${JSON.stringify(name)} ${problem}`)
    parameters.push([name, value])
    length += name.length + value.length
  }
  if (length > maxLength) throw new TypeError(`${option} is longer than ${maxLength} characters in all`)
  return parameters.sort(([one], [other]) => (one < other ? -1 : 1))
}

/** Tells why a parameter cannot be one of `extraParams`, in words that follow its name; `undefined` when it can. */
export function extraParamProblem(name: string, value: unknown): string | undefined {
  if (refusedNames.has(name)) return 'is sent by the broker itself'
  if (!namePattern.test(name))
    return 'cannot be the name of a parameter: use letters, digits, "-", "_" and "."'
  if (typeof value !== 'string') return 'must be a string'
  // A server treats an empty parameter as absent (RFC 6749 section 3.2); its usual cause is an unset variable.
  if (value === '') return 'must not be empty'
  return value.isWellFormed() ? undefined : 'is not valid Unicode'
}
