import { ConfigError } from '../config/config-error.ts'
import { Refusal } from '../config/values/refusal.ts'
import { comparableHost } from './comparable-host.ts'
import type { HelperArguments } from './helper-arguments.ts'
import { HelperFailure } from './helper-failure.ts'
import { type HostEntry, readHostsFile } from './hosts-file.ts'
import type { Steps } from './steps.ts'

/**
 * Requests the token of a listed host; `undefined` for any other, for which neither the configuration is read nor Dex asked. Rejects
 * with {@link HelperFailure}, or with the reason of the signal.
 */
export async function tokenOfHost(
  { host, hostsFile, configFile }: Pick<HelperArguments, 'host' | 'hostsFile' | 'configFile'>,
  env: NodeJS.ProcessEnv,
  steps: Steps,
  signal: AbortSignal,
): Promise<string | undefined> {
  steps.begin(`reading ${hostsFile}`)
  const entry = listed(hostsFile, host)
  if (entry === undefined) return undefined
  // OpenTofu also asks for the public registry; what follows takes longer to load.
  const { tokenOfEntry } = await import('./token-of-entry.ts')
  const ofCall = configFile === undefined ? env : { ...env, CONFIG_FILE: configFile }
  return tokenOfEntry(entry, { hostsFile, env: ofCall, steps, signal })
}

function listed(hostsFile: string, host: string): HostEntry | undefined {
  const comparable = comparableHost(host)
  try {
    const hosts = readHostsFile(hostsFile)
    return comparable === undefined ? undefined : hosts.get(comparable)
  } catch (error) {
    if (error instanceof ConfigError) throw new HelperFailure(error.message)
    if (error instanceof Refusal) {
      const advice = error.message.endsWith('does not exist')
        ? '\ncreate it, or name another with --hosts'
        : ''
      throw new HelperFailure(`the hosts file ${error.message}${advice}`)
    }
    throw error
  }
}
