import { optionRules } from '@broker/core/options'
import type { ReadTextFile } from '../values/read-text-file.ts'
import type { OptionPath, OptionValue } from './option-path.ts'

/** Default and limits of a value, in the form of core's `optionRules`; durations in milliseconds. */
export interface Rule<Value = unknown> {
  readonly default?: Value
  readonly min?: number
  readonly max?: number
  readonly maxLength?: number
}

/** A kind of value: its name in the reference, its parser and its formatter. */
export interface Kind<Value = unknown> {
  type(rule: Rule<Value>): string
  /** Throws a `Refusal`. `read` reads the file that the text names; default: from the disk. */
  parse(text: string, rule: Rule<Value>, read?: ReadTextFile): Value
  /** Writes a value so that `parse` reads the same one back. */
  format(value: Value): string
  /** Writes a value for people, where `format` could show a secret. */
  show?(value: Value): string
  /** Whether the text lists values with commas, so that the configuration file may have a list. */
  readonly isList?: boolean
}

interface Declaration<Value> {
  readonly group: string
  readonly kind: Kind<Value>
  /** The server's own default or limits, where core's rule for the option has none. */
  readonly rule?: Rule<NoInfer<Value>>
  readonly description: string
  /** Default: `defaultText`. */
  readonly example?: string
  /** The default as the reference shows it, where its kind formats it differently. */
  readonly defaultText?: string
  /** Whether a change takes effect only at the next start. */
  readonly needsRestart?: boolean
}

/** An environment variable, with all that is needed to read, print and document it. */
export interface Variable<Value = unknown> {
  readonly group: string
  readonly kind: Kind<Value>
  readonly rule: Rule<Value>
  readonly description: string
  readonly example: string
  /** `undefined` when the variable has no default. */
  readonly defaultText: string | undefined
  /** Whether the value is masked wherever it is printed. */
  readonly secret: boolean
  /** Whether a reload leaves the value as it is, so that a change takes effect at the next start. */
  readonly needsRestart: boolean
  /** The option of core that the variable sets. */
  readonly option: OptionPath | undefined
  /** Where the value is in `Config`; `undefined` when it is in `broker`, at `option`. */
  readonly setting: string | undefined
}

/** A variable whose value is an option of core. */
export interface OptionVariable<Value> extends Variable<Value> {
  readonly setting: undefined
}

/** A secret. {@link withSecretFiles} gives it a twin that names a file. */
export interface SecretVariable<Value> extends OptionVariable<Value> {
  readonly secret: true
}

/** A variable that the server itself uses, under the name `Name` in `Config`. */
export interface SettingVariable<Name extends string, Value, DefaultText extends string | undefined>
  extends Variable<Value> {
  readonly setting: Name
  readonly defaultText: DefaultText
}

/** Declares the variable of an option of core, with the default and the limits of core's `optionRules`. */
export function option<Path extends OptionPath, Value extends OptionValue<Path>>(
  path: Path,
  declaration: Declaration<Value>,
): OptionVariable<Value> {
  const rules: Readonly<Record<string, Rule>> = optionRules
  const rule = { ...rules[path], ...declaration.rule } as Rule<Value>
  return { ...completed({ ...declaration, rule }), option: path, setting: undefined }
}

/** Declares the variable of an option of core that is a secret. */
export function secretOption<Path extends OptionPath, Value extends OptionValue<Path>>(
  path: Path,
  declaration: Declaration<Value>,
): SecretVariable<Value> {
  return { ...option(path, declaration), secret: true }
}

/** The declaration of a server variable; `via` names the option of core that the server derives from it, if any. */
type SettingDeclaration<Value> = Declaration<Value> & { readonly via?: OptionPath }

/** Declares a server variable that has a default. */
export function setting<const Name extends string, Value>(
  name: Name,
  { via, ...declaration }: SettingDeclaration<Value>,
): SettingVariable<Name, Value, string> {
  const variable = completed(declaration)
  const { defaultText } = variable
  if (defaultText === undefined) throw new TypeError(`the variable of ${name} has no default`)
  return { ...variable, defaultText, option: via, setting: name }
}

/** Declares a server variable without a default. */
export function optionalSetting<const Name extends string, Value>(
  name: Name,
  { via, ...declaration }: SettingDeclaration<Value>,
): SettingVariable<Name, Value, undefined> {
  return { ...completed(declaration), defaultText: undefined, option: via, setting: name }
}

function completed<Value>(declaration: Declaration<Value>): Omit<Variable<Value>, 'option' | 'setting'> {
  const { kind, rule = {}, needsRestart = false } = declaration
  const { defaultText = rule.default === undefined ? undefined : kind.format(rule.default) } = declaration
  const example = declaration.example ?? defaultText ?? ''
  return { ...declaration, rule, secret: false, needsRestart, defaultText, example }
}
