import * as z from 'zod'
import { configSchema, type VariableName, variableNames } from '../schema/config-schema.ts'
import type { Variable } from '../schema/variable.ts'

/** Variables that have no place in the file: secrets, and the file itself. */
export function isOutsideOfFile(name: VariableName): boolean {
  const { secret }: Variable = configSchema[name]
  return secret || name === 'CONFIG_FILE'
}

/** The variables that the file may set. */
export const settingNames: readonly VariableName[] = variableNames.filter(name => !isOutsideOfFile(name))

/**
 * The schema of `settings`. A value is written as in the environment, or as the number, boolean or list that it stands for; its
 * kind judges it later, together with the variables of the environment.
 */
export function settingsSchema() {
  const shape = Object.fromEntries(
    settingNames.map(name => {
      const { kind, description, example, defaultText, needsRestart }: Variable = configSchema[name]
      const scalar = z.union([z.string(), z.number(), z.boolean()])
      const item = z.string().regex(/^[^,]+$/, 'must not be empty or contain a comma')
      const value = kind.isList ? z.union([...scalar.options, z.array(item)]) : scalar
      const byDefault = defaultText === undefined ? '' : ` Default: \`${defaultText}\`.`
      const byRestart = needsRestart ? ' A change needs a restart.' : ''
      const described = value.meta({
        description: `${description}${byDefault}${byRestart}`,
        examples: [example],
      })
      return [name, described.optional()] as const
    }),
  )
  return z.strictObject(shape)
}
