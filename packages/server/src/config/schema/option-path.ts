import type { TokenBrokerOptions } from '@broker/core'

type Section = 'client' | 'credentialHeaders' | 'gate' | 'sharedStore'
type SectionOptions<Name extends Section> = NonNullable<TokenBrokerOptions[Name]>

/** The path of an option of `@broker/core`, as its rules and hints spell it: `requestTimeoutMs`, `gate.jwksUri`. */
export type OptionPath =
  | Exclude<keyof TokenBrokerOptions, Section>
  | { [Name in Section]: `${Name}.${keyof SectionOptions<Name> & string}` }[Section]

/** The value of the option at a path. */
export type OptionValue<Path extends OptionPath> = NonNullable<
  Path extends keyof TokenBrokerOptions
    ? TokenBrokerOptions[Path]
    : Path extends `${infer Name extends Section}.${infer Key}`
      ? SectionOptions<Name>[Key & keyof SectionOptions<Name>]
      : never
>

type Options = Record<string, unknown>

/** The value of an option, `undefined` when it or its section is absent. */
export function optionAt(options: TokenBrokerOptions, path: OptionPath): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Options | undefined)?.[key], options)
}

/** Options from the values at their paths. */
export function optionsFrom(values: Iterable<readonly [OptionPath, unknown]>): TokenBrokerOptions {
  const options: Options = {}
  for (const [path, value] of values) {
    const [first = '', second] = path.split('.')
    if (second === undefined) options[first] = value
    else options[first] = { ...(options[first] as Options | undefined), [second]: value }
  }
  return options
}
