import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const shippedText = readFileSync(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url), 'utf8')

/** So many times shorter are all times of the rules here: a scrape interval of 1 s stands for one of 30 s. */
export const timeScale = 30

/** The shipped rule file with short times. */
export const shortRules: string = shippedText.replace(
  /(?<=\[|for: )(\d+)([mh])\b/g,
  (_, count: string, unit: 'm' | 'h') => `${(Number(count) * { m: 60, h: 3_600 }[unit]) / timeScale}s`,
)

/** The condition of an alert, without the time for which it has to hold. */
export interface AlertCondition {
  readonly alert: string
  readonly severity: string
  /** As shipped. */
  readonly expression: string
  /** With short ranges. */
  readonly shortExpression: string
}

/** The conditions of the shipped alerts. */
export const alertConditions: readonly AlertCondition[] = rulesOf(shippedText).map((rule, index) => ({
  alert: rule.alert,
  severity: rule.labels.severity,
  expression: rule.expr,
  shortExpression: rulesOf(shortRules)[index]?.expr ?? '',
}))

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
}

function rulesOf(text: string): readonly Rule[] {
  const { groups } = parse(text) as { groups: readonly { rules: readonly Rule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}
