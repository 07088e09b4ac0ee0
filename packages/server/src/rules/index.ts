export { type CompiledRules, type CompileRulesOptions, compileRules } from './compile-rules.ts'
export type { FailureReport } from './failure-reports.ts'
export type { ExchangeDefinition, RuleDefinition, RuleFault } from './rule-definition.ts'
export type { Explanation, RuleExplanation, Rules, RulesOptions } from './rules.ts'
