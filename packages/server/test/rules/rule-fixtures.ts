import type { AuthenticatedCaller, IncomingRequest } from '@broker/core'
import { type CompileRulesOptions, compileRules } from '../../src/rules/compile-rules.ts'
import type { RuleDefinition, RuleFault } from '../../src/rules/rule-definition.ts'
import type { Rules } from '../../src/rules/rules.ts'

export const names = { issuers: ['dex', 'staff'], clients: ['reports', 'billing'], hasGate: true }

/** A request as core gives it to rules. */
export function requestWith(parts: Partial<IncomingRequest> = {}): IncomingRequest {
  return {
    method: 'GET',
    path: '/orders/1',
    isPathClear: true,
    rawPath: '/orders/1',
    query: '',
    host: 'orders.example.com',
    headers: {},
    time: Date.UTC(2026, 10, 26, 12, 30),
    context: {},
    ...parts,
  }
}

/** A request whose path a backend could read in another way. As in core, reading `path` throws. */
export function unclearRequest(
  rawPath: string = '/a/%2e%2e/b',
  parts: Partial<IncomingRequest> = {},
): IncomingRequest {
  return {
    ...requestWith({ ...parts, isPathClear: false, rawPath }),
    get path(): string {
      throw new Error('the path was read')
    },
  }
}

export function callerWith(parts: Partial<AuthenticatedCaller> = {}): AuthenticatedCaller {
  return {
    issuer: 'dex',
    subject: 'alice',
    groups: ['engineering'],
    claims: {},
    token: 'secret-token',
    ...parts,
  }
}

export function rulesOf(
  definitions: readonly RuleDefinition[],
  options: Partial<CompileRulesOptions> = {},
): Rules {
  const result = compileRules(definitions, { ...names, ...options })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults, undefined, 2))
  return result.rules
}

export function faultsOf(
  definitions: readonly RuleDefinition[],
  options: Partial<CompileRulesOptions> = {},
): readonly RuleFault[] {
  const result = compileRules(definitions, { ...names, ...options })
  return 'faults' in result ? result.faults : []
}

/** Rules with one rule that gives the client `reports`. */
export function ruleWhen(when: string, options: Partial<CompileRulesOptions> = {}): Rules {
  return rulesOf([{ name: 'only', when, client: 'reports' }], options)
}

/** Whether the one rule matches; `failed` when its expression fails. */
export function resultOf(
  when: string,
  caller: AuthenticatedCaller = callerWith(),
  request: IncomingRequest = requestWith(),
): boolean | 'failed' | 'refused' {
  const outcome = ruleWhen(when).explain(caller, request).rules[0]?.outcome
  if (outcome === 'matched') return true
  return outcome === 'not matched' ? false : (outcome as 'failed' | 'refused')
}
