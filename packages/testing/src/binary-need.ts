import { findBinary } from './find-binary.ts'

/** A program that tests need. */
export interface NeededBinary<Variable extends string> {
  /** Names its file. */
  readonly variable: Variable
  /** Its name on the PATH. */
  readonly program: string
  /** With this variable, a missing program is a failure instead of skipped tests. */
  readonly requirement: string
}

/** Whether a program is there, for `needs` of `@broker/testing/vitest`. Throws when it is missing and required. */
export function binaryNeed<Variable extends string>(
  { variable, program, requirement }: NeededBinary<Variable>,
  env: NodeJS.ProcessEnv,
): Readonly<Record<Variable, boolean>> {
  const isThere = findBinary(env[variable], program, env) !== undefined
  if (!isThere && env[requirement])
    throw new Error(
      `${requirement} is set, and there is no ${program}. Set ${variable} or put it on the PATH.`,
    )
  return { [variable]: isThere } as Record<Variable, boolean>
}
