import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Finds a program: the file that was named, else the one of this name on the PATH; `undefined` when there is none. */
export function findBinary(
  named: string | undefined,
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (named) return named
  return env['PATH']
    ?.split(delimiter)
    .map(folder => join(folder, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
