import type { Choice } from '@broker/core'
import type { Environment } from '@marcbachmann/cel-js'
import { didYouMean } from '../nearest-name.ts'
import { createCelEnvironment } from './cel-environment.ts'
import { type CompiledExpression, compileExpression, type ExpectedResult } from './compiled-expression.ts'
import { CompiledRule, type HeaderExpression } from './compiled-rule.ts'
import { EvaluationBudget } from './evaluation-budget.ts'
import type { SurveyContext } from './expression-survey.ts'
import { LinearPatterns } from './linear-patterns.ts'
import type { ExchangeDefinition, RuleDefinition, RuleFault } from './rule-definition.ts'
import { Rules, type RulesOptions } from './rules.ts'

/** The configuration that rules refer to, and the surroundings of the result. */
export interface CompileRulesOptions extends RulesOptions {
  /** The names of the issuers of callers. */
  readonly issuers: readonly string[]
  /** The names of the configured clients. */
  readonly clients: readonly string[]
  /** Whether a gate verifies callers' JWTs. */
  readonly hasGate: boolean
}

/** The rules, or all faults in their definitions. */
export type CompiledRules =
  | {
      /** The rules, when all of them are right. */
      readonly rules: Rules
    }
  | {
      /** All mistakes, when there is one. */
      readonly faults: readonly RuleFault[]
    }

/** Compiles and checks rules. It reads nothing but its arguments. */
export function compileRules(
  definitions: readonly RuleDefinition[],
  options: CompileRulesOptions,
): CompiledRules {
  const compiler = new RuleCompiler(options)
  const rules = definitions.map((definition, index) => compiler.compile(definition, index))
  const { faults } = compiler
  if (faults.length > 0) return { faults }
  return {
    rules: new Rules(
      rules.filter(rule => rule !== undefined),
      options,
    ),
  }
}

type FaultPath = readonly (string | number)[]

class RuleCompiler {
  readonly faults: RuleFault[] = []
  readonly #options: CompileRulesOptions
  readonly #environment: Environment
  readonly #budget = new EvaluationBudget()
  readonly #context: SurveyContext
  /** Where each name is first used. */
  readonly #names = new Map<string, number>()

  constructor(options: CompileRulesOptions) {
    const patterns = new LinearPatterns(this.#budget)
    this.#options = options
    this.#environment = createCelEnvironment(patterns, this.#budget)
    this.#context = { patterns, issuers: options.issuers, hasGate: options.hasGate }
  }

  compile(definition: RuleDefinition, index: number): CompiledRule | undefined {
    const path: FaultPath = ['rules', index]
    this.#checkName(definition.name, path)
    const action = this.#actionOf(definition, path)
    const when = this.#expression(definition.when, 'bool', [...path, 'when'])
    const set = this.#headersOf(definition, path)
    if (action === undefined || when === undefined) return undefined
    return new CompiledRule(definition.name, when, action, set, this.#budget)
  }

  #checkName(name: string, path: FaultPath): void {
    const first = this.#names.get(name)
    if (first === undefined) {
      this.#names.set(name, Number(path[1]))
    } else {
      this.#fault([...path, 'name'], `rule ${first + 1} has the name "${name}" already; choose another one`)
    }
  }

  #actionOf(definition: RuleDefinition, path: FaultPath): Choice | undefined {
    const { client, scope, audiences, allowedClientIds, allowedScopes, exchange, pass, deny } = definition
    const actions = [client, exchange, pass, deny].filter(action => action !== undefined)
    if (actions.length !== 1) {
      this.#fault(path, 'a rule needs exactly one of client, exchange, pass and deny')
      return undefined
    }
    this.#refuse(
      path,
      definition,
      ['scope', 'audiences'],
      client !== undefined && client !== 'caller',
      exchange === undefined ? 'needs a named client' : 'belongs inside exchange',
    )
    this.#refuse(
      path,
      definition,
      ['allowedClientIds', 'allowedScopes'],
      client === 'caller',
      'needs the client "caller"',
    )
    if (deny !== undefined) {
      if (!/^[\x20-\x7e]+$/.test(deny)) {
        this.#fault([...path, 'deny'], 'the text for the caller needs printable ASCII characters')
      }
      return { deny }
    }
    if (pass !== undefined) {
      if (!this.#options.hasGate) {
        this.#fault(
          [...path, 'pass'],
          'pass needs a gate, which verifies the JWT that is passed; configure an issuer',
        )
      }
      return { pass }
    }
    if (exchange !== undefined) return this.#exchangeOf(exchange, [...path, 'exchange'])
    if (client === 'caller') return { client, allowedClientIds, allowedScopes }
    if (client === undefined) return undefined
    this.#checkClient(client, [...path, 'client'], ['caller'])
    return { client, scope, audiences }
  }

  #exchangeOf(exchange: ExchangeDefinition, path: FaultPath): Choice {
    if (!this.#options.hasGate) {
      this.#fault(
        path,
        'exchange needs a gate, which verifies the JWT that is exchanged; configure an issuer',
      )
    }
    const { client } = exchange
    if (client === 'caller') {
      this.#fault(
        [...path, 'client'],
        'exchange needs a configured client, and "caller" means the credentials of the caller',
      )
    } else this.#checkClient(client, [...path, 'client'])
    // The same frozen object for each request.
    return { exchange: Object.freeze({ ...exchange }) }
  }

  /** `others` are names that are allowed although no client has them. */
  #checkClient(client: string, path: FaultPath, others: readonly string[] = []): void {
    const { clients } = this.#options
    if (clients.includes(client)) return
    this.#fault(path, `there is no client "${client}"${didYouMean(client, [...clients, ...others])}`)
  }

  /** Settings that have a meaning with one kind of action only. */
  #refuse(
    path: FaultPath,
    definition: RuleDefinition,
    settings: readonly ('scope' | 'audiences' | 'allowedClientIds' | 'allowedScopes')[],
    isAllowed: boolean,
    problem: string,
  ): void {
    for (const setting of isAllowed ? [] : settings) {
      if (definition[setting] !== undefined) this.#fault([...path, setting], `${setting} ${problem}`)
    }
  }

  #headersOf({ set = {}, deny }: RuleDefinition, path: FaultPath): readonly HeaderExpression[] {
    const names = Object.keys(set)
    if (deny !== undefined && names.length > 0) {
      this.#fault([...path, 'set'], 'a rule that denies sets no headers')
    }
    const headers: HeaderExpression[] = []
    for (const name of names) {
      const header = name.toLowerCase()
      if (headers.some(other => other.header === header)) {
        this.#fault([...path, 'set', name], `the rule sets the header ${header} twice`)
      }
      const expression = this.#expression(set[name] ?? '', 'string', [...path, 'set', name])
      if (expression !== undefined) headers.push({ header, expression })
    }
    return headers
  }

  #expression(text: string, expected: ExpectedResult, path: FaultPath): CompiledExpression | undefined {
    const result = compileExpression(text, expected, this.#environment, this.#context)
    if (!Array.isArray(result)) return result as CompiledExpression
    for (const { offset, problem } of result) this.#fault(path, problem, offset)
    return undefined
  }

  #fault(path: FaultPath, problem: string, offset?: number): void {
    this.faults.push(offset === undefined ? { path, problem } : { path, offset, problem })
  }
}
