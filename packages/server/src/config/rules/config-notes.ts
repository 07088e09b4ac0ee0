import type { SettingsReading } from '../schema/read-settings.ts'
import { proxyVariable } from '../values/proxy-settings.ts'

/** Lists what a newcomer may not expect of a valid configuration. */
export function configNotes(env: NodeJS.ProcessEnv, { isSet, settings }: SettingsReading): string[] {
  const notes: string[] = []
  if (!isSet('DEX_ISSUER') && !isSet('DEX_TOKEN_URL')) {
    notes.push(
      `DEX_ISSUER and DEX_TOKEN_URL are not set: tokens are requested from ${settings.DEX_TOKEN_URL}, the default of DEX_TOKEN_URL. Set DEX_ISSUER to the issuer of your Dex.`,
    )
  }
  const proxy = proxyVariable(env)
  if (proxy !== undefined && settings.USE_PROXY_FROM_ENV === false) {
    notes.push(
      `${proxy} is set and not used: the broker connects to Dex directly. Set USE_PROXY_FROM_ENV=true if Dex is reached through the proxy.`,
    )
  }
  return notes
}
