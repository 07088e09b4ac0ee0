import { Environment } from '@marcbachmann/cel-js'
import type { EvaluationBudget } from './evaluation-budget.ts'
import type { LinearPatterns } from './linear-patterns.ts'
import { ruleLimits } from './rule-limits.ts'
import { CallerVariable, callerFields, RequestVariable, requestFields } from './rule-variables.ts'
import { callOf, childrenOf, type SyntaxNode } from './syntax-node.ts'

/**
 * Functions of the library that would run a native regular expression or cost more than rules may, and ours for them. The
 * library refuses a second function with the same signature, so calls are renamed in the tree before it is checked.
 */
const replacements: Readonly<Record<string, string>> = {
  matches: 'matchesLinear',
  contains: 'containsBounded',
  split: 'splitBounded',
}

/** The CEL environment of a set of rules: its variables, types, functions and limits. */
export function createCelEnvironment(patterns: LinearPatterns, budget: EvaluationBudget): Environment {
  const matches = (text: string, pattern: string) => patterns.matches(text, pattern)
  const contains = (text: string, sought: string) => {
    budget.spend(text.length * sought.length)
    return text.includes(sought)
  }
  const split = (text: string, separator: string) => {
    budget.spend(text.length * separator.length)
    const parts = text.split(separator, ruleLimits.listItems + 1)
    if (parts.length > ruleLimits.listItems) throw new TooManyParts()
    return parts
  }
  const sync = { async: false }
  return new Environment({
    limits: {
      maxAstNodes: ruleLimits.expressionNodes,
      maxDepth: ruleLimits.expressionDepth,
      maxListElements: ruleLimits.listItems,
      maxMapEntries: ruleLimits.listItems,
    },
  })
    .registerType('Caller', { ctor: CallerVariable, fields: callerFields })
    .registerType('Request', { ctor: RequestVariable, fields: requestFields })
    .registerVariable('caller', 'Caller')
    .registerVariable('request', 'Request')
    .registerVariable('context', 'map<string, string>')
    .registerFunction('string.matchesLinear(string): bool', matches, sync)
    .registerFunction('matchesLinear(string, string): bool', matches, sync)
    .registerFunction('string.containsBounded(string): bool', contains, sync)
    .registerFunction('string.splitBounded(string): list<string>', split, sync)
}

/** Renames the calls that must not reach the library's own functions, inside macros too. */
export function replaceCalls(node: SyntaxNode): void {
  const call = callOf(node)
  const replacement =
    call !== undefined && Object.hasOwn(replacements, call.name) ? replacements[call.name] : undefined
  if (replacement !== undefined) (node.args as unknown[])[0] = replacement
  for (const child of childrenOf(node)) replaceCalls(child)
}

/** The failure of an expression that splits a text into more parts than a macro may iterate over. */
export class TooManyParts extends RangeError {
  override readonly name: string = 'TooManyParts'
  constructor() {
    super('split gives too many parts')
  }
}
