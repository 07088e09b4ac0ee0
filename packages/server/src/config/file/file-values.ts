import { audienceProblem, extraParamProblem, optionRules, resourceProblem } from '@broker/core/options'
import * as z from 'zod'
import { parseCredentialText, parseScopeText } from '../values/credential-text.ts'
import { parseEndpointUrl } from '../values/endpoint-url.ts'
import { quoteValue } from '../values/quote-value.ts'
import { Refusal } from '../values/refusal.ts'

/** A key with its description, in one place for docs and editors. */
export function key<Schema extends z.ZodType>(schema: Schema, description: string, example: unknown): Schema {
  return schema.meta({ description, examples: [example] })
}

/** Names of issuers and clients; they appear in rules, logs and metrics. */
export const name: z.ZodString = z
  .string()
  .regex(/^[A-Za-z\d._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, underscores or hyphens')

/** A text that a parser of a variable's value accepts; the parser words the fault. `hint` is for JSON Schema alone. */
export function parsed(
  parse: (text: string) => unknown,
  hint: Readonly<Record<string, unknown>> = {},
): z.ZodString {
  return z
    .string()
    .min(1, 'must not be empty')
    .superRefine((text, context) => {
      if (text === '') return
      try {
        parse(text)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        for (const message of error.problems) context.addIssue({ code: 'custom', message })
      }
    })
    .meta(hint)
}

/** The URL of an endpoint; whether http is allowed depends on ALLOW_INSECURE_DEX_URL. */
export const url: z.ZodString = parsed(parseEndpointUrl, { pattern: '^https?://' })
/** A text without control characters. */
export const text = (maxLength: number): z.ZodString =>
  parsed(value => parseCredentialText(value, maxLength), { maxLength })
/** Scopes, separated by blanks. */
export const scope: z.ZodString = parsed(
  value => parseScopeText(value, optionRules['client.scope'].maxLength),
  {
    maxLength: optionRules['client.scope'].maxLength,
  },
)
/** The client id of a service that a token is for. */
export const peer: z.ZodString = parsed(value => {
  const problem = audienceProblem(value)
  if (problem !== undefined) throw new Refusal(`${quoteValue(value)} ${problem}`)
})
/** A list with at least one entry. */
export const list = <Item extends z.ZodType>(item: Item): z.ZodArray<Item> =>
  z.array(item).min(1, 'must not be an empty list')
export const strings: z.ZodArray<z.ZodString> = list(text(1_024))
export const clientIds: z.ZodArray<z.ZodString> = list(text(optionRules['client.clientId'].maxLength))
const resource = parsed(value => {
  const problem = resourceProblem(value)
  if (problem !== undefined) throw new Refusal(`${quoteValue(value)} ${problem}`)
})
/** Resource indicators (RFC 8707). */
export const resources: z.ZodArray<z.ZodString> = list(resource).superRefine((uris, context) => {
  assertLength(uris.join(''), optionRules['client.resource'].maxLength, context)
})
/** Additional parameters of a token request. */
export const extraParams: z.ZodRecord<z.ZodString, z.ZodString> = z
  .record(z.string(), z.string())
  .superRefine((params, context) => {
    for (const [name, value] of Object.entries(params)) {
      const problem = extraParamProblem(name, value)
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem })
    }
    const text = Object.entries(params).flat().join('')
    assertLength(text, optionRules['client.extraParams'].maxLength, context)
  })

function assertLength({ length }: string, max: number, context: z.RefinementCtx): void {
  if (length <= max) return
  context.addIssue({ code: 'custom', message: `is ${length} characters in all, more than ${max}` })
}
