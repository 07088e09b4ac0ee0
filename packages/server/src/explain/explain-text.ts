import type { ClientChoice } from '@broker/core'
import { printable } from '../printable.ts'
import type { RuleExplanation } from '../rules/rules.ts'
import type { Explained } from './explain.ts'
import type { ExplainRequest } from './explain-request.ts'
import { placeholderToken } from './placeholder-tokens.ts'

const labelWidth = 10

/** Describes an explanation for a terminal, without secrets and without the JWT; ends with a line break. */
export function explainText({ method, path }: ExplainRequest, explained: Explained): string {
  const blocks = [
    [line('request', `${method} ${path}`)],
    callerLines(explained),
    ruleLines(explained.rules),
    answerLines(explained),
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

function callerLines({ caller, refusedJwt }: Explained): string[] {
  if (caller === undefined)
    return refusedJwt === undefined ? [] : [line('caller', `JWT refused: ${refusedJwt}`)]
  const { issuer, subject, clientId, groups } = caller
  return [
    line('caller', `issuer ${issuer}`),
    line('', `subject ${subject === '' ? '(none)' : subject}`),
    ...(clientId === undefined ? [] : [line('', `client id ${clientId}`)]),
    line('', `groups ${groups.length === 0 ? '(none)' : groups.join(', ')}`),
  ]
}

function ruleLines(rules: readonly RuleExplanation[] | undefined): string[] {
  if (rules === undefined) return []
  const width = Math.max(0, ...rules.map(({ rule }) => rule.length))
  return rules.map((each, index) =>
    line(index === 0 ? 'rules' : '', `${index + 1}. ${each.rule.padEnd(width)}  ${outcomeOf(each)}`),
  )
}

function outcomeOf({ outcome, problem, falseOperand }: RuleExplanation): string {
  if (problem !== undefined) return `${outcome}: ${problem}`
  return falseOperand === undefined ? outcome : `${outcome}: ${falseOperand} is false`
}

/** The answer to the request, in a few words. */
export function answerText({ choice, client, verdict }: Explained): string {
  if (verdict.outcome === 'allow') return `200, ${tokenOf({ choice, client })}`
  const { error_description: description } = JSON.parse(verdict.body)
  return `${verdict.status} ${verdict.code}: ${description}`
}

function answerLines(explained: Explained): string[] {
  const { verdict, hint, exchangeRequest } = explained
  if (verdict.outcome !== 'allow') {
    return [line('answer', answerText(explained)), ...(hint === undefined ? [] : [line('hint', hint)])]
  }
  const set = Object.entries(verdict.set)
  return [
    line('answer', answerText(explained)),
    ...(exchangeRequest ?? []).map(([name, value], index) =>
      line(index === 0 ? 'exchange' : '', `${name}: ${value}`),
    ),
    ...set.map(([name, value], index) =>
      line(index === 0 ? 'set' : '', `${name}: ${value.replace(placeholderToken, '<token>')}`),
    ),
    ...(verdict.remove.length === 0 ? [] : [line('remove', verdict.remove.join(', '))]),
  ]
}

function tokenOf({ choice, client }: Pick<Explained, 'choice' | 'client'>): string {
  if (choice === undefined) return ofClient(client)
  if ('pass' in choice) return "with the caller's own JWT"
  if ('exchange' in choice) {
    const { connectorId, client } = choice.exchange
    return `with a Dex token of the caller: exchange by connector ${connectorId} with client ${client}${scopeText(choice.exchange)}`
  }
  if (!('client' in choice)) return ''
  if (choice.client === 'caller') return ofClient('caller')
  return `with a token of the client ${choice.client}${scopeText(choice as ClientChoice)}`
}

function ofClient(name: string | undefined): string {
  if (name === 'default') return 'with a token of the client in STATIC_CLIENT_ID'
  if (name === 'caller' || name === undefined) return "with a token by the caller's own credentials"
  return `with a token of the client ${name}`
}

function scopeText({ scope, audiences }: Pick<ClientChoice, 'scope' | 'audiences'>): string {
  const ofScope = scope === undefined ? '' : `, scope ${scope}`
  return audiences ? `${ofScope}, audiences ${audiences.join(' ')}` : ofScope
}

function line(label: string, text: string): string {
  return printable(`${label.padEnd(labelWidth)}${text}`).trimEnd()
}
