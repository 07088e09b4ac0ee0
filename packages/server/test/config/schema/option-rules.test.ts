import { optionRules } from '@broker/core/options'
import { describe, expect, it } from 'vitest'
import { configSchema, variableNames } from '../../../src/config/schema/config-schema.ts'
import type { Rule, Variable } from '../../../src/config/schema/variable.ts'

const rules: Readonly<Record<string, Rule>> = optionRules
const variables = variableNames.map(name => ({ name, ...(configSchema[name] as Variable) }))
const ofCore = variables.flatMap(({ name, option, rule }) => {
  const coresRule = option && rules[option]
  return coresRule === undefined ? [] : [{ name, rule, coresRule }]
})

/** Fewer than in a library: behind Envoy, more than its pools let through cannot come. */
const ownDefaults: Readonly<Record<string, unknown>> = { MAX_WAITING_CHECKS: 4_096 }

describe('a variable of an option of core', () => {
  it.each(ofCore)("$name has core's default", ({ name, rule, coresRule }) => {
    expect(rule.default).toStrictEqual(ownDefaults[name] ?? coresRule.default)
  })

  it.each(ofCore)('$name allows nothing that core refuses', ({ rule, coresRule }) => {
    expect(rule.min ?? 0).toBeGreaterThanOrEqual(coresRule.min ?? 0)
    expect(rule.max ?? 0).toBeLessThanOrEqual(coresRule.max ?? 0)
    expect(rule.maxLength ?? 0).toBeLessThanOrEqual(coresRule.maxLength ?? 0)
  })
})

it.each(variables.filter(({ defaultText }) => defaultText !== undefined))(
  '$name has the default that the reference says',
  ({ kind, rule, defaultText = '' }) => {
    expect(kind.parse(defaultText, rule)).toStrictEqual(rule.default)
  },
)

/** The library's alone: behind Envoy the challenge is the service's, and JWKS_MAX_AGE is for all key sets. */
const ofTheLibrary = ['realm', 'gate.jwksMaxAgeMs']
/** For clients of the configuration file; a variable has none of them. */
const ofTheFile = /^client\.(?:resource|extraParams|authentication\..+)$/

it.each(Object.keys(rules).filter(path => !ofTheLibrary.includes(path) && !ofTheFile.test(path)))(
  'the option %s has a variable',
  path => {
    expect(variables.filter(({ option }) => option === path)).toHaveLength(1)
  },
)

it.each(variables)('$name has an example', ({ example }) => {
  expect(example).not.toBe('')
})
