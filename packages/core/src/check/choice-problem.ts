import { exchangePartsProblem } from '../clients/exchange-request.ts'

const admission = ['set', 'rule'] as const

/** The members of each kind of choice. */
const members = {
  client: ['client', 'scope', 'audiences', ...admission],
  caller: ['client', 'allowedClientIds', 'allowedScopes', ...admission],
  exchange: ['exchange', ...admission],
  pass: ['pass', ...admission],
  deny: ['deny', 'rule'],
} as const

/**
 * Tells why a value that `chooseClient` returned is not a choice, in words that follow `the choice`; `undefined` when it is one.
 * Does not judge the names of clients and headers, and scopes.
 */
// Runs for each check, so it allocates nothing.
export function choiceProblem(value: unknown, hasCaller: boolean): string | undefined {
  if (!isPlainObject(value)) return 'is not an object'
  if (typeof value['then'] === 'function') return 'is a promise'
  const kind = kindOf(value)
  if (kind === undefined) return 'needs exactly one of client, exchange, pass and deny'
  const known: readonly string[] = members[kind]
  for (const name in value) {
    if (!known.includes(name)) return `has the unknown member ${JSON.stringify(name)}`
  }
  if (!isOptionalText(value['rule'])) return 'has a rule that is not a string'
  if (value['set'] !== undefined && !isPlainObject(value['set'])) return 'has a set that is not an object'
  switch (kind) {
    case 'pass':
      if (value['pass'] !== true) return 'has a pass other than true'
      return hasCaller ? undefined : 'passes the JWT of the caller, and the broker has no gate'
    case 'exchange':
      return hasCaller
        ? exchangeProblem(value['exchange'])
        : 'exchanges the JWT of the caller, and the broker has no gate'
    case 'deny':
      return typeof value['deny'] === 'string' ? undefined : 'has a deny that is not a string'
    case 'caller':
      return isAllowList(value['allowedClientIds']) && isAllowList(value['allowedScopes'])
        ? undefined
        : 'has allowedClientIds or allowedScopes that are not a list of at least one string'
    case 'client':
      if (typeof value['client'] !== 'string') return 'has a client that is not a string'
      if (!isOptionalText(value['scope'])) return 'has a scope that is not a string'
      return value['audiences'] === undefined || isTexts(value['audiences'])
        ? undefined
        : 'has audiences that are not a list of strings'
  }
}

function exchangeProblem(exchange: unknown): string | undefined {
  if (!isPlainObject(exchange)) return 'has an exchange that is not an object'
  // In contrast to other calls, a rule always names its client.
  if (typeof exchange['client'] !== 'string') return 'has an exchange without a client'
  const problem = exchangePartsProblem(exchange)
  return problem === undefined ? undefined : `has an exchange that ${problem}`
}

function kindOf(choice: object): keyof typeof members | undefined {
  const hasClient = 'client' in choice
  const hasExchange = 'exchange' in choice
  const hasPass = 'pass' in choice
  const hasDeny = 'deny' in choice
  if (Number(hasClient) + Number(hasExchange) + Number(hasPass) + Number(hasDeny) !== 1) return undefined
  if (hasExchange) return 'exchange'
  if (hasPass) return 'pass'
  if (hasDeny) return 'deny'
  return (choice as { client?: unknown }).client === 'caller' ? 'caller' : 'client'
}

/** An array, a map and a promise have other tags. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isTexts(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false
  for (const item of value) if (typeof item !== 'string') return false
  return true
}

/** An empty list is usually an unset variable. */
function isAllowList(value: unknown): boolean {
  return value === undefined || (isTexts(value) && value.length > 0 && !value.includes(''))
}
