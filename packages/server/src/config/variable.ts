import * as z from 'zod'
import { Refusal } from './refusal.ts'

/** The schema of one environment variable: text, or undefined when it is not set, becomes a value. */
export type Variable<Value> = z.ZodType<Value, string | undefined>

/** What a kind of value is called in the reference, and how its text is read; `parse` throws a `Refusal`. */
export interface VariableKind<Value> {
  readonly type: string
  readonly parse: (text: string) => Value
}

interface Declaration<Value> {
  readonly group: string
  readonly kind: VariableKind<Value>
  readonly description: string
  /** Defaults to the default. */
  readonly example?: string
  readonly secret?: boolean
}

/** All that the reference says about a variable. */
export interface VariableFacts {
  readonly group: string
  readonly type: string
  readonly description: string
  /** The text that stands in when the variable is not set; undefined when nothing does. */
  readonly defaultText: string | undefined
  readonly example: string
  readonly secret: boolean
}

const registered = z.registry<Omit<VariableFacts, 'description' | 'defaultText'>>()

/** Declares a variable that has a default, written as the text an operator would write. */
export function variable<Value>(
  declaration: Declaration<Value> & { readonly default: string },
): Variable<Value> {
  return register(textSchema(declaration.kind).prefault(declaration.default), {
    ...declaration,
    example: declaration.example ?? declaration.default,
  })
}

/** Declares a variable that is undefined when it is not set. */
export function optionalVariable<Value>(
  declaration: Declaration<Value> & { readonly example: string },
): Variable<Value | undefined> {
  return register(textSchema(declaration.kind).optional(), declaration)
}

/** Everything the reference says about a variable, read from its schema. */
export function factsOf(schema: Variable<unknown>): VariableFacts {
  const facts = registered.get(schema)
  if (facts === undefined) throw new TypeError('the schema was not made by variable() or optionalVariable()')
  const defaultText = schema instanceof z.ZodPrefault ? String(schema.def.defaultValue) : undefined
  return { ...facts, description: schema.description ?? '', defaultText }
}

function register<Schema extends z.ZodType>(
  schema: Schema,
  { group, kind, description, example, secret = false }: Declaration<unknown> & { readonly example: string },
): Schema {
  const described = schema.describe(description)
  registered.add(described, { group, type: kind.type, example, secret })
  return described
}

function textSchema<Value>(kind: VariableKind<Value>): z.ZodType<Value, string> {
  return z.string().transform((text, context) => {
    try {
      return kind.parse(text)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      for (const message of error.problems) context.issues.push({ code: 'custom', message, input: undefined })
      return z.NEVER
    }
  })
}
