import { statSync } from 'node:fs'
import { isLoopbackHost } from '@broker/core/options'
import { storeAddress } from '@broker/redis-store/options'
import type { VariableFault } from '../config-error.ts'
import type { VariableName } from '../schema/config-schema.ts'
import { faultOf, type SettingsReading } from '../schema/read-settings.ts'
import { quoteValue } from '../values/quote-value.ts'
import type { SealingKeyFile } from '../values/sealing-key-file.ts'

const ofStore = [
  'SHARED_STORE_KEY_FILE',
  'SHARED_STORE_USERNAME',
  'SHARED_STORE_PASSWORD_FILE',
  'SHARED_STORE_CA_FILE',
] as const satisfies readonly VariableName[]

const othersMayRead = 0o004

/** Finds faults between the variables of a shared store. */
export function sharedStoreFaults({ isSet }: SettingsReading): readonly VariableFault[] {
  if (!isSet('SHARED_STORE_URL')) {
    const cause = ofStore.find(isSet)
    return cause === undefined ? [] : [faultOf('SHARED_STORE_URL', `must be set, because ${cause} is`)]
  }
  const faults: VariableFault[] = []
  if (!isSet('SHARED_STORE_KEY_FILE')) {
    const problem =
      'must be set, because SHARED_STORE_URL is: tokens are sealed before they are stored; make a key with "openssl rand -base64 32 > FILE", the same for all replicas'
    faults.push(faultOf('SHARED_STORE_KEY_FILE', problem))
  }
  if (isSet('SHARED_STORE_USERNAME') && !isSet('SHARED_STORE_PASSWORD_FILE')) {
    faults.push(
      faultOf(
        'SHARED_STORE_PASSWORD_FILE',
        'must be set, because SHARED_STORE_USERNAME is: without a password, no user is sent',
      ),
    )
  }
  return faults
}

/** Lists what is dangerous or likely a mistake in the variables of a shared store. */
export function sharedStoreWarnings({ isSet, settings }: SettingsReading): readonly string[] {
  const { SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: keyFile } = settings
  if (url === undefined) return []
  const warnings: string[] = []
  const { tls, nodes } = storeAddress(url)
  if (isSet('SHARED_STORE_CA_FILE') && !tls) {
    warnings.push(
      'SHARED_STORE_CA_FILE has no effect, because SHARED_STORE_URL is without TLS. Use rediss://, or remove it.',
    )
  }
  if (!tls && !nodes.every(({ host }) => isLoopbackHost(host))) {
    const exposed = isSet('SHARED_STORE_PASSWORD_FILE')
      ? 'the password of the store and the names of records cross'
      : 'the names of records cross'
    warnings.push(
      `SHARED_STORE_URL is without TLS: ${exposed} the network unencrypted; tokens are sealed. Use rediss:// if the store has TLS.`,
    )
  }
  if (keyFile !== undefined && everybodyCanRead(keyFile)) {
    warnings.push(
      `SHARED_STORE_KEY_FILE: every user of this machine can read ${quoteValue(keyFile.path)}. Set its mode to 0400; on Kubernetes, set defaultMode of its volume to 0440.`,
    )
  }
  return warnings
}

/** Windows has no such modes. */
function everybodyCanRead({ path }: SealingKeyFile): boolean {
  if (process.platform === 'win32') return false
  try {
    return (statSync(path).mode & othersMayRead) !== 0
  } catch {
    return false
  }
}
