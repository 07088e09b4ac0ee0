import { configSchema, variableNames } from './config-schema.ts'
import type { Variable } from './variable.ts'

const variables: ReadonlyMap<string, string> = new Map(
  variableNames.flatMap(name => {
    const { option }: Variable = configSchema[name]
    return option === undefined ? [] : [[option, name] as const]
  }),
)

/** Names the variable that sets an option of core; the option's path where there is none. */
export function variableOf(option: string): string {
  return variables.get(option) ?? option
}
