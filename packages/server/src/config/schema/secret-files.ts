import { optionalSetting, type SecretVariable, type SettingVariable, type Variable } from './variable.ts'
import { type SecretFile, secretFile } from './variable-kinds.ts'

const suffix = '_FILE'

type SecretName<Variables> = {
  [Name in keyof Variables & string]: Variables[Name] extends SecretVariable<infer _> ? Name : never
}[keyof Variables & string]

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Lowercase<First>}${Capitalize<CamelCase<Rest>>}`
  : Lowercase<Name>

type SecretFiles<Variables> = {
  readonly [Name in SecretName<Variables> as `${Name}_FILE`]: SettingVariable<
    CamelCase<`${Name}_FILE`>,
    SecretFile,
    undefined
  >
}

/** Adds, behind each secret variable `X`, the variable `X_FILE`, which names a file with the secret. */
export function withSecretFiles<Variables extends Readonly<Record<string, Variable>>>(
  variables: Variables,
): Variables & SecretFiles<Variables> {
  const entries = Object.entries(variables).flatMap(([name, variable]) =>
    variable.secret
      ? [[name, variable] as const, [secretFileVariable(name), twinOf(name, variable)] as const]
      : [[name, variable] as const],
  )
  return Object.fromEntries(entries) as Variables & SecretFiles<Variables>
}

/** The variable that names the file of a secret. */
export function secretFileVariable<Name extends string>(secret: Name): `${Name}_FILE` {
  return `${secret}${suffix}`
}

function twinOf(name: string, { group }: Variable): Variable {
  return optionalSetting(camelCase(secretFileVariable(name)), {
    group,
    kind: secretFile,
    example: `/run/secrets/${name.toLowerCase().replaceAll('_', '-')}`,
    description: `File with the value of ${name}, such as a mounted Kubernetes secret. Read again when the file changes. A line break at its end does not count. Not together with ${name}.`,
  })
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
