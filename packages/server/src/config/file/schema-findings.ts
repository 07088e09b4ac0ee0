import type * as z from 'zod'
import { nearestName } from '../../nearest-name.ts'
import { configSchema } from '../schema/config-schema.ts'
import type { Variable } from '../schema/variable.ts'
import { quoteValue } from '../values/quote-value.ts'
import type { FileFinding } from './file-finding.ts'
import { apiVersion, fileSchema } from './file-schema.ts'
import { keysAt } from './schema-at.ts'
import { isOutsideOfFile } from './settings-schema.ts'
import type { FilePath } from './yaml-file.ts'

type Issue = z.core.$ZodIssue

/** Judges the structure of the file, or of another file with its own schema, and each value for itself. */
export function schemaFindings(value: unknown, schema: z.ZodType = fileSchema): readonly FileFinding[] {
  const result = schema.safeParse(value)
  return result.success ? [] : result.error.issues.flatMap(issue => findingsOf(issue, value, schema))
}

function findingsOf(issue: Issue, file: unknown, schema: z.ZodType): readonly FileFinding[] {
  const path = issue.path as FilePath
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({
      path: [...path, key],
      isKey: true,
      example: false,
      ...unknownKey(path, key, schema),
    }))
  return [{ path, problem: problemOf(issue, valueAt(file, path)) }]
}

function problemOf(issue: Issue, given: unknown): string {
  const path = issue.path as FilePath
  if (path.at(-1) === 'clientSecret' && typeof given !== 'object' && given !== undefined)
    return 'holds the secret itself; name the environment variable or the file that holds it'
  if (given === undefined) return issue.code === 'custom' ? issue.message : 'is missing'
  if (given === null) return 'has no value'
  switch (issue.code) {
    case 'invalid_type':
      return mustBe(typeWords[issue.expected] ?? issue.expected, given)
    case 'invalid_value':
      if (path.length === 1 && path[0] === 'apiVersion')
        return `${quoteGiven(given)} is not supported; this version of the broker supports ${apiVersion}`
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `${quoteGiven(given)} is not one of ${issue.values.join(', ')}`
    case 'invalid_union':
      return path[0] === 'settings'
        ? 'must be text, a number, true or false, or for a variable that lists values a list of texts'
        : 'must be `any` or a list of texts'
    default:
      return issue.message
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
}

function mustBe(words: string, given: unknown): string {
  const isUnquoted = words === 'text' && (typeof given === 'number' || typeof given === 'boolean')
  return `must be ${words}${isUnquoted ? '; put it in quotes' : ''}`
}

function quoteGiven(given: unknown): string {
  return typeof given === 'string' ? quoteValue(given) : 'the value'
}

function unknownKey(parent: FilePath, key: string, schema: z.ZodType): { readonly problem: string } {
  const isSetting = parent.length === 1 && parent[0] === 'settings'
  if (isSetting && Object.hasOwn(configSchema, key)) {
    const name = key as keyof typeof configSchema
    if (isOutsideOfFile(name)) return { problem: outside(configSchema[name]) }
  }
  const known = keysAt(parent, schema)
  if (key === 'audience' && known.includes('extraParams')) {
    return {
      problem:
        "is not a known key; use audiences for the client ids of Dex's peers, or extraParams for the parameter of other servers",
    }
  }
  const nearest = nearestName(key, known)
  const what = isSetting ? 'is not a variable of this broker' : 'is not a known key'
  return { problem: nearest ? `${what}; did you mean ${nearest}?` : `${what}; known: ${known.join(', ')}` }
}

function outside({ secret }: Variable): string {
  return secret
    ? 'is a secret, which the configuration file must not hold; set it in the environment'
    : 'must be set in the environment'
}

/** The value at a path; `undefined` when there is none. */
export function valueAt(value: unknown, path: FilePath): unknown {
  return path.reduce<unknown>(
    (parent, step) =>
      typeof parent === 'object' && parent !== null && Object.hasOwn(parent, step)
        ? (parent as Record<string | number, unknown>)[step]
        : undefined,
    value,
  )
}
