import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js'
import { expect, it } from 'vitest'
import { createCelEnvironment, replaceCalls } from '../../src/rules/cel-environment.ts'
import { EvaluationBudget } from '../../src/rules/evaluation-budget.ts'
import { LinearPatterns } from '../../src/rules/linear-patterns.ts'
import { callOf, childrenOf, literalText, type SyntaxNode } from '../../src/rules/syntax-node.ts'

type Value = Readonly<Record<string, unknown>>
interface Case {
  readonly path: string
  readonly expr: string
  /** `undefined` for an expression that must fail. */
  readonly value: Value | undefined
}

/** Protocol buffers, enums, optional values and extensions, which rules do not have. */
const otherSuites =
  /^(block_ext|bindings_ext|dynamic|encoders_ext|enums|fields|macros2|math_ext|optionals|proto[23].*|string_ext|type_deductions|unknowns|wrappers|.*_ext)$/
const otherSettings = ['bindings', 'typeEnv', 'container', 'checkOnly', 'typedResult', 'disableCheck']

const budget = new EvaluationBudget()
const patterns = new LinearPatterns(budget)
const environment = createCelEnvironment(patterns, budget)

it('the engine of rules follows the conformance suite of CEL, except for the listed cases', async () => {
  const cases = casesOf()
  const differences = cases.flatMap(each => {
    const expected = each.value === undefined ? 'failure' : textOf(each.value)
    const given = evaluate(each.expr)
    return given === expected
      ? []
      : [`${each.path}: ${JSON.stringify(each.expr)} gives ${given}, not ${expected}`]
  })
  const summary = `${cases.length} cases, ${differences.length} differences`
  await expect([summary, '', ...differences, ''].join('\n')).toMatchFileSnapshot('cel-differences.txt')
})

function casesOf(): Case[] {
  return (conformance.suites ?? [])
    .filter(({ name }) => !otherSuites.test(name))
    .flatMap(suite =>
      (suite.suites ?? []).map(section => ({ section, path: `${suite.name}/${section.name}` })),
    )
    .flatMap(({ section, path }) => (section.tests ?? []).map(({ original }) => ({ original, path })))
    .filter(({ original }) => otherSettings.every(setting => !(setting in original)))
    .map(({ original, path }) => ({
      path: `${path}/${String(original.name)}`,
      expr: original.expr,
      value: 'evalError' in original ? undefined : ((original['value'] ?? { boolValue: true }) as Value),
    }))
    .filter(({ value, expr }) => !/TestAllTypes|google\.protobuf\./.test(expr) && isScalar(value))
}

function isScalar(value: Value | undefined): boolean {
  return value === undefined || !/object|list|map|type|enum/i.test(Object.keys(value)[0] ?? '')
}

function evaluate(expr: string): string {
  budget.start()
  try {
    const parsed = environment.parse(expr)
    const tree = parsed.ast as unknown as SyntaxNode
    addPatterns(tree)
    replaceCalls(tree)
    const checked = parsed.check()
    return checked.valid ? resultText(parsed()) : 'failure'
  } catch {
    return 'failure'
  }
}

function addPatterns(node: SyntaxNode): void {
  const call = callOf(node)
  if (call?.name === 'matches') {
    const pattern = literalText(call.parameters[call.receiver === undefined ? 1 : 0])
    if (pattern !== undefined) patterns.add(pattern)
  }
  for (const child of childrenOf(node)) addPatterns(child)
}

function textOf(value: Value): string {
  const [kind, content] = Object.entries(value)[0] ?? []
  if (kind === 'int64Value') return `int ${String(content)}`
  if (kind === 'uint64Value') return `uint ${String(content)}`
  if (kind === 'doubleValue') return `double ${Number(content)}`
  if (kind === 'bytesValue') return `bytes ${String(content)}`
  if (kind === 'nullValue') return 'null'
  return JSON.stringify(content)
}

function resultText(value: unknown): string {
  if (typeof value === 'bigint') return `int ${value}`
  if (typeof value === 'number') return `double ${value}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (typeof value === 'object' && typeof value?.valueOf() === 'bigint') return `uint ${String(value)}`
  return JSON.stringify(value) ?? 'failure'
}
