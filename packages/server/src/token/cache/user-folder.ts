import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** The program's folder among the user's cached files, or among the user's settings, by the XDG Base Directory Specification. */
export function userFolder(env: NodeJS.ProcessEnv, purpose: 'cache' | 'config'): string {
  const named = env[purpose === 'cache' ? 'XDG_CACHE_HOME' : 'XDG_CONFIG_HOME'] ?? ''
  // The specification has relative paths ignored.
  if (isAbsolute(named)) return join(named, 'dex-token-broker')
  const { LOCALAPPDATA: ofWindows } = env
  if (process.platform === 'win32' && ofWindows) return join(ofWindows, 'dex-token-broker', purpose)
  return join(env['HOME'] || homedir(), `.${purpose}`, 'dex-token-broker')
}
