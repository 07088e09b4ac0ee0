import { isDeepStrictEqual } from 'node:util'

/** The differences between two values: each path with the value on either side. Entries of lists with names are compared by name. */
export function objectDifferences(one: unknown, other: unknown, path = ''): string[] {
  if (isDeepStrictEqual(one, other)) return []
  const [ones, others] = [entriesOf(one), entriesOf(other)]
  if (ones === undefined || others === undefined) return [`${path}: ${shown(one)} -> ${shown(other)}`]
  const names = new Set([...Object.keys(ones), ...Object.keys(others)])
  return [...names].flatMap(name =>
    objectDifferences(ones[name], others[name], path === '' ? name : `${path}.${name}`),
  )
}

function entriesOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return value as Record<string, unknown>
  if (value.length === 0 || !value.every(entry => typeof entry?.name === 'string')) return undefined
  return Object.fromEntries(value.map(({ name, ...entry }) => [name, entry]))
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
