import type { ConfigFileReader } from './config-file-reader.ts'

/** Loads the reader of the configuration file only when CONFIG_FILE names one, because that takes longer than the rest of the start. */
export async function fileReaderOf({
  CONFIG_FILE: path,
}: NodeJS.ProcessEnv): Promise<ConfigFileReader | undefined> {
  if (!path) return undefined
  const { YamlConfigReader } = await import('./yaml-config-reader.ts')
  return new YamlConfigReader()
}
