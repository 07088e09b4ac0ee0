import { didYouMean } from '../nearest-name.ts'
import { celFunctions, celTypeNames, macros } from './cel-functions.ts'
import type { LinearPatterns } from './linear-patterns.ts'
import type { ExpressionFault } from './rule-definition.ts'
import { callerFields, requestFields } from './rule-variables.ts'
import {
  type CallNode,
  callOf,
  childrenOf,
  literalText,
  memberOf,
  type SyntaxNode,
  variableName,
} from './syntax-node.ts'

/** The parts of the variables that an expression reads, such as `caller.claims`, `request.path` and `context`. */
export type ReadNames = ReadonlySet<string>

/** Facts about the configuration that expressions are checked against. */
export interface SurveyContext {
  readonly patterns: LinearPatterns
  /** The names of the issuers of callers; empty without a gate. */
  readonly issuers: readonly string[]
  readonly hasGate: boolean
}

const members: Readonly<Record<string, readonly string[]>> = {
  caller: Object.keys(callerFields),
  request: Object.keys(requestFields),
}
const variables = ['caller', 'request', 'context']

/**
 * Reads a parsed expression before it is type-checked: collects what it reads, and the faults that the type check does not know.
 *
 * `caller` and `request` can only be used with a known member, so `reads` is exact.
 */
export class ExpressionSurvey {
  readonly reads = new Set<string>()
  readonly faults: ExpressionFault[] = []
  readonly #context: SurveyContext

  constructor(root: SyntaxNode, context: SurveyContext) {
    this.#context = context
    this.#visit(root, new Set(), false)
  }

  #fault(node: SyntaxNode, problem: string): void {
    this.faults.push({ offset: node.pos, problem })
  }

  /** `local` are the variables of the enclosing macro, `inMacro` forbids another one. */
  #visit(node: SyntaxNode, local: ReadonlySet<string>, inMacro: boolean): void {
    const member = memberOf(node)
    if (member !== undefined) {
      const name = variableName(member.from)
      if (name !== undefined && !local.has(name) && Object.hasOwn(members, name)) {
        this.#visitMember(node, name, member.member)
        return
      }
    }
    const name = variableName(node)
    if (name !== undefined) {
      this.#visitVariable(node, name, local)
      return
    }
    const call = callOf(node)
    if (call !== undefined) {
      this.#visitCall(node, call, local, inMacro)
      return
    }
    this.#checkNames(node)
    for (const child of childrenOf(node)) this.#visit(child, local, inMacro)
  }

  #visitMember(node: SyntaxNode, variable: string, member: string): void {
    const known = members[variable] ?? []
    if (!known.includes(member)) {
      this.#fault(node, `${variable} has no member "${member}"${didYouMean(member, known)}`)
    } else if (variable === 'caller' && !this.#context.hasGate) {
      this.#fault(
        node,
        'caller is unknown without a gate; configure an issuer of callers, or do not read caller',
      )
    }
    this.reads.add(`${variable}.${member}`)
  }

  #visitVariable(node: SyntaxNode, name: string, local: ReadonlySet<string>): void {
    if (local.has(name) || celTypeNames.has(name)) return
    if (name === 'context') {
      this.reads.add(name)
    } else if (Object.hasOwn(members, name)) {
      this.#fault(
        node,
        `${name} can only be used with one of its members: ${members[name]?.map(each => `${name}.${each}`).join(', ')}`,
      )
    } else {
      const known = [...variables, ...local]
      const needsQuotes = `; write a text in quotes, or use one of ${known.join(', ')}`
      this.#fault(node, `there is no variable "${name}"${didYouMean(name, known) || needsQuotes}`)
    }
  }

  #visitCall(node: SyntaxNode, call: CallNode, local: ReadonlySet<string>, inMacro: boolean): void {
    const { name, receiver, parameters } = call
    if (!celFunctions.has(name)) {
      this.faults.push({
        offset: receiver === undefined ? node.pos : node.input.indexOf(name, receiver.end),
        problem: `there is no function "${name}"${didYouMean(name, [...celFunctions])}`,
      })
    } else if (receiver !== undefined && Object.hasOwn(macros, name)) {
      this.#visitMacro(node, call, local, inMacro)
      return
    } else if (name === 'matches') {
      this.#checkPattern(node, parameters[receiver === undefined ? 1 : 0])
    } else if (name === 'duration' && literalText(parameters[0]) === undefined) {
      this.#fault(node, 'duration takes a literal text, such as duration("1h")')
    } else if (name === 'has' && parameters[0]?.op !== '.') {
      this.#fault(node, 'has takes a member: has(caller.claims.email)')
    } else if (name.startsWith('get') && parameters.length > 0) {
      this.#checkTimeZone(node, parameters[0])
    }
    for (const child of childrenOf(node)) this.#visit(child, local, inMacro)
  }

  #visitMacro(node: SyntaxNode, call: CallNode, local: ReadonlySet<string>, inMacro: boolean): void {
    const range = call.receiver as SyntaxNode
    const [variable, ...bodies] = call.parameters
    const name = variable === undefined ? undefined : variableName(variable)
    if (inMacro) this.#fault(node, `${call.name} cannot be used inside another macro`)
    if (!isBoundedRange(range)) {
      this.#fault(
        node,
        `${call.name} works on a variable's member, a list in brackets or the result of split, and on nothing that is calculated`,
      )
    }
    if (name === undefined || !macros[call.name]?.includes(call.parameters.length)) {
      this.#fault(node, `${call.name} takes a variable and an expression, such as groups.exists(g, g == "a")`)
      return
    }
    if (variables.includes(name) || celTypeNames.has(name) || local.has(name)) {
      this.#fault(variable as SyntaxNode, `"${name}" already has a meaning; choose another name`)
      return
    }
    this.#visit(range, local, true)
    const inner = new Set([...local, name])
    for (const body of bodies) this.#visit(body, inner, true)
  }

  #checkPattern(node: SyntaxNode, pattern: SyntaxNode | undefined): void {
    const text = literalText(pattern)
    if (text === undefined) {
      this.#fault(node, 'matches takes a literal pattern in quotes')
      return
    }
    const problem = this.#context.patterns.add(text)
    if (problem !== undefined) this.#fault(pattern as SyntaxNode, problem)
  }

  #checkTimeZone(node: SyntaxNode, zone: SyntaxNode | undefined): void {
    const text = literalText(zone)
    if (text === undefined) {
      this.#fault(node, 'the time zone must be a literal text, such as "Europe/Berlin"')
      return
    }
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: text })
    } catch {
      this.#fault(zone as SyntaxNode, `there is no time zone "${text}"`)
    }
  }

  /** Texts that can never match: an issuer that is not configured, a header name in upper case. */
  #checkNames(node: SyntaxNode): void {
    if (node.op === '==' || node.op === '!=' || node.op === 'in') {
      const [left, right] = node.args as [SyntaxNode, SyntaxNode]
      if (isMember(left, 'caller', 'issuer')) this.#checkIssuers(right)
      else if (isMember(right, 'caller', 'issuer')) this.#checkIssuers(left)
      if (node.op === 'in' && isMember(right, 'request', 'headers')) this.#checkHeaderName(left)
    }
    if (node.op === '[]') {
      const [from, index] = node.args as [SyntaxNode, SyntaxNode]
      if (isMember(from, 'request', 'headers')) this.#checkHeaderName(index)
    }
  }

  #checkIssuers(node: SyntaxNode): void {
    const { hasGate, issuers } = this.#context
    if (!hasGate) return
    for (const each of node.op === 'list' ? childrenOf(node) : [node]) {
      const name = literalText(each)
      if (name !== undefined && !issuers.includes(name)) {
        this.#fault(each, `there is no issuer "${name}"${didYouMean(name, issuers)}`)
      }
    }
  }

  #checkHeaderName(node: SyntaxNode): void {
    const name = literalText(node)
    if (name !== undefined && name !== name.toLowerCase()) {
      this.#fault(node, `header names are in lower case here: "${name.toLowerCase()}"`)
    }
  }
}

function isMember(node: SyntaxNode, variable: string, member: string): boolean {
  const selected = memberOf(node)
  return selected?.member === member && variableName(selected.from) === variable
}

/** Whether a macro's range has a bounded number of items: members, literals, `split`, and a choice between such. */
function isBoundedRange(node: SyntaxNode): boolean {
  switch (node.op) {
    case 'id':
    case 'list':
    case 'map':
      return true
    case '.':
    case '[]':
      return isBoundedRange((node.args as [SyntaxNode])[0])
    case '?:': {
      const [, yes, no] = node.args as [SyntaxNode, SyntaxNode, SyntaxNode]
      return isBoundedRange(yes) && isBoundedRange(no)
    }
    default:
      return callOf(node)?.name === 'split'
  }
}
