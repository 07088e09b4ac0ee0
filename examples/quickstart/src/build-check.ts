import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { brokerCommand } from '@broker/testing'

/** A sentence when the workspace is not built; what is missing is named relative to the current folder. */
export function problemOfBuild(): string | undefined {
  try {
    if (!existsSync(brokerCommand)) return notBuilt(path.relative('', brokerCommand))
    createRequire(import.meta.url).resolve('@broker/dev-dex')
    createRequire(brokerCommand).resolve('@broker/core')
    return undefined
  } catch (error) {
    return problemOfImport(error)
  }
}

/** The sentence for an import that found no file; throws any other error. */
export function problemOfImport(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (!code.endsWith('MODULE_NOT_FOUND')) throw error
  const missing = /'([^']+)'/.exec(message)?.[1] ?? 'a module'
  return notBuilt(path.isAbsolute(missing) ? path.relative('', missing) : missing)
}

function notBuilt(missing: string): string {
  return `The workspace is not built (${missing} is missing): run npm start in its root folder, which builds it first.`
}
