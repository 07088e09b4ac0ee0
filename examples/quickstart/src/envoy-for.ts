import { findEnvoy } from '@broker/testing'
import type { QuickstartOptions } from './command-line.ts'

/** The Envoy to run, fetched when need be; `undefined`, and a line that says why, when the walk has to do without. */
export async function envoyFor(
  { noEnvoy }: QuickstartOptions,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (noEnvoy) return undefined
  const { path, reason } = await findEnvoy({ fetch: true, say })
  if (path === undefined) {
    say(
      `No real Envoy (${reason}): a small stand-in plays its ext_authz filter. ENVOY_BIN=/path/to/envoy names one.`,
    )
  }
  return path
}
