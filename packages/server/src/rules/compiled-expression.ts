import type { Environment } from '@marcbachmann/cel-js'
import { serialize } from '@marcbachmann/cel-js/serialize'
import { replaceCalls } from './cel-environment.ts'
import { ExpressionSurvey, type ReadNames, type SurveyContext } from './expression-survey.ts'
import { type Evaluate, Operand } from './operand.ts'
import type { ExpressionFault } from './rule-definition.ts'
import { ruleLimits } from './rule-limits.ts'
import type { SyntaxNode } from './syntax-node.ts'

/** An expression that has passed all checks. */
export interface CompiledExpression {
  readonly reads: ReadNames
  readonly operands: readonly Operand[]
  readonly evaluate: Evaluate
}

/** The type that an expression must have. */
export type ExpectedResult = 'bool' | 'string'

/** Compiles an expression, or returns the faults in it. */
export function compileExpression(
  text: string,
  expected: ExpectedResult,
  environment: Environment,
  context: SurveyContext,
): CompiledExpression | readonly ExpressionFault[] {
  if (text.length > ruleLimits.expressionLength) {
    return [
      { problem: `the expression is longer than ${ruleLimits.expressionLength} characters; split the rule` },
    ]
  }
  const tree = syntaxTree(text, environment)
  if ('problem' in tree) return [tree]
  const survey = new ExpressionSurvey(tree, context)
  if (survey.faults.length > 0) return survey.faults
  const texts = expected === 'bool' ? operandTexts(tree, environment) : undefined
  const whole = checkedExpression(text, environment, context)
  if ('problem' in whole) return [whole]
  const wrongResult = resultFault(whole.type, expected)
  if (wrongResult !== undefined) return [wrongResult]
  const parts = (texts ?? [text]).map(each => checkedExpression(each, environment, context))
  const operands = parts.every(isChecked) ? parts.map(operandOf) : [operandOf(whole)]
  return { reads: survey.reads, operands, evaluate: whole.evaluate }
}

interface CheckedExpression {
  readonly text: string
  readonly evaluate: Evaluate
  readonly reads: ReadNames
  readonly type: string
}

function isChecked(expression: CheckedExpression | ExpressionFault): expression is CheckedExpression {
  return 'evaluate' in expression
}

function operandOf({ text, evaluate, reads }: CheckedExpression): Operand {
  return new Operand(text, evaluate, reads)
}

function syntaxTree(text: string, environment: Environment): SyntaxNode | ExpressionFault {
  try {
    return environment.parse(text).ast as unknown as SyntaxNode
  } catch (error) {
    return libraryFault(error)
  }
}

function checkedExpression(
  text: string,
  environment: Environment,
  context: SurveyContext,
): CheckedExpression | ExpressionFault {
  const parsed = environment.parse(text)
  const tree = parsed.ast as unknown as SyntaxNode
  const { reads } = new ExpressionSurvey(tree, context)
  replaceCalls(tree)
  const checked = parsed.check()
  if (!checked.valid) return libraryFault(checked.error)
  return { text, evaluate: parsed as Evaluate, reads, type: checked.type ?? 'dyn' }
}

function resultFault(type: string, expected: ExpectedResult): ExpressionFault | undefined {
  if (type === expected) return undefined
  if (expected === 'bool') {
    // A claim of another type would fail at each check. With the comparison the author has decided which type it has.
    return type === 'dyn' || type.startsWith('dyn<')
      ? { problem: 'the result may have any type; compare it, for example with == true' }
      : { problem: `the result is ${withArticle(type)} and must be a bool` }
  }
  if (type === 'dyn' || type === 'dyn<string>') return undefined
  return { problem: `the result is ${withArticle(type)} and must be a string; convert it with string()` }
}

function withArticle(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}

/** The operands of the `&&` at the top; `undefined` when it has none, or when the library does not reproduce one exactly. */
function operandTexts(tree: SyntaxNode, environment: Environment): readonly string[] | undefined {
  if (tree.op !== '&&') return undefined
  const texts = conjuncts(tree).map(node => {
    const text = serialize(node as never)
    const reproduced = syntaxTree(text, environment)
    return 'problem' in reproduced || shapeOf(reproduced) !== shapeOf(node) ? undefined : text
  })
  return texts.every(text => text !== undefined) ? texts : undefined
}

function conjuncts(node: SyntaxNode): readonly SyntaxNode[] {
  return node.op === '&&' ? (node.args as SyntaxNode[]).flatMap(conjuncts) : [node]
}

/** A text that is equal for equal trees only. */
function shapeOf(node: SyntaxNode): string {
  return JSON.stringify([node.op, node.args], (_key, value: unknown) => {
    if (typeof value === 'bigint') return { int: String(value) }
    if (typeof value === 'number') return { double: String(value) }
    // An unsigned literal is an object of the library.
    if (typeof value === 'object' && typeof value?.valueOf() === 'bigint') return { uint: String(value) }
    if (isNode(value)) return [value.op, value.args]
    return value
  })
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function libraryFault(error: unknown): ExpressionFault {
  const { summary, range } = error as { summary?: string; range?: { start: number } }
  return {
    ...(range === undefined ? {} : { offset: range.start }),
    problem: plainWords(summary ?? (error instanceof Error ? error.message : 'the expression is not valid')),
  }
}

/** The library's messages with the words of the user's expression. */
function plainWords(message: string): string {
  const words = message
    .replace(
      /^Exceeded maxAstNodes.*/,
      `the expression has more than ${ruleLimits.expressionNodes} parts; split the rule`,
    )
    .replace(
      /^Exceeded maxDepth.*/,
      `the expression is nested deeper than ${ruleLimits.expressionDepth} levels`,
    )
    .replace(/^Exceeded max\w+ \((\d+)\)/, 'more than $1 items')
    .replaceAll('matchesLinear', 'matches')
    .replaceAll('containsBounded', 'contains')
    .replaceAll('splitBounded', 'split')
    .replace(/^Unexpected character: '?=.*/, 'a single = is not an operator; compare with ==')
    .replace(
      /^(\w+)\(var.*iteration variable$/,
      '$1 takes a variable and an expression, such as groups.$1(g, g == "a")',
    )
    .replace(/EOF/, 'the end')
  return words.charAt(0).toLowerCase() + words.slice(1)
}
