import { userInfo } from 'node:os'
import { isAbsolute } from 'node:path'
import { Refusal } from '../../config/values/refusal.ts'

/**
 * The home folder of the user: HOME, or else the one of the account. Throws a `Refusal` when there is neither, as in a container whose user
 * has no account.
 */
export function homeFolder({ HOME: home = '' }: NodeJS.ProcessEnv): string {
  // A relative path leads into the folder of a project, whose files are not the user's.
  const found = isAbsolute(home) ? home : homeOfAccount()
  if (isAbsolute(found)) return found
  throw new Refusal('the user has no home folder; set HOME to an absolute path')
}

function homeOfAccount(): string {
  try {
    return userInfo().homedir
  } catch {
    return ''
  }
}
