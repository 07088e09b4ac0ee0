import type { configSchema, VariableName } from './config-schema.ts'

type Schema = typeof configSchema
type ValueOf<Name extends VariableName> = ReturnType<Schema[Name]['kind']['parse']>

/** The value of every variable; `undefined` when it is not set and has no default. */
export type Settings = { readonly [Name in VariableName]: ValueOf<Name> | undefined }

type SettingOf<Name extends VariableName, DefaultText> = Schema[Name] extends {
  readonly setting: infer Setting extends string
  readonly defaultText: DefaultText
}
  ? Setting
  : never

/** The values of the variables that the server itself uses, as they are in `Config`. */
export type ServerSettings = {
  readonly [Name in VariableName as SettingOf<Name, string>]: ValueOf<Name>
} & {
  readonly [Name in VariableName as SettingOf<Name, undefined>]?: ValueOf<Name>
}
