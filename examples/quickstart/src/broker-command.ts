import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The script behind the command `dex-token-broker`, as the package's `bin` names it; it may not be built yet. */
export function brokerCommand(): string {
  const manifestFile = createRequire(import.meta.url).resolve('@broker/server/package.json')
  const manifest: { bin: { 'dex-token-broker': string } } = JSON.parse(readFileSync(manifestFile, 'utf8'))
  return path.join(path.dirname(manifestFile), manifest.bin['dex-token-broker'])
}
