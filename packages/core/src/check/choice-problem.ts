const kinds = ['client', 'pass', 'deny'] as const

/** The members of each kind of choice. */
const members = {
  client: ['client', 'scope', 'audiences', 'set', 'rule'],
  caller: ['client', 'allowedClientIds', 'allowedScopes', 'set', 'rule'],
  pass: ['pass', 'set', 'rule'],
  deny: ['deny', 'rule'],
} as const

/**
 * Tells why a value that `chooseClient` returned is not a choice, in words that follow `the choice`; `undefined` when it is one.
 * Client names and headers are not judged.
 */
export function choiceProblem(value: unknown, hasCaller: boolean): string | undefined {
  // An array, a map and a promise have other tags.
  if (Object.prototype.toString.call(value) !== '[object Object]') return 'is not an object'
  const choice = value as Readonly<Record<string, unknown>>
  if (typeof choice['then'] === 'function') return 'is a promise'
  const present = kinds.filter(kind => kind in choice)
  const [kind] = present
  if (kind === undefined || present.length > 1) return 'needs one of client, pass and deny'
  const known: readonly string[] = members[choice['client'] === 'caller' ? 'caller' : kind]
  for (const name in choice)
    if (!known.includes(name)) return `has the unknown member ${JSON.stringify(name)}`
  if (kind === 'pass') {
    if (choice['pass'] !== true) return 'has a pass other than true'
    if (!hasCaller) return 'passes the JWT of a caller, and the broker has no gate'
  } else if (typeof choice[kind] !== 'string') return `has a ${kind} that is not a string`
  if (!isOptional(choice['rule'], 'string')) return 'has a rule that is not a string'
  if (!isOptional(choice['scope'], 'string')) return 'has a scope that is not a string'
  if (choice['set'] !== undefined && Object.prototype.toString.call(choice['set']) !== '[object Object]')
    return 'has a set that is not an object'
  for (const name of ['allowedClientIds', 'allowedScopes']) {
    if (!isOptionalList(choice[name])) return `has ${name} that are not a list of at least one string`
  }
  return undefined
}

function isOptional(value: unknown, type: 'string'): boolean {
  return value === undefined || typeof value === type
}

/** An empty list is usually an unset variable. */
function isOptionalList(value: unknown): boolean {
  if (value === undefined) return true
  return (
    Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string' && item !== '')
  )
}
