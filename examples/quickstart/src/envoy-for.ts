// @ts-expect-error: a script without declarations; its JSDoc has the types.
import { findEnvoy } from '../../../scripts/find-envoy.mjs'
import type { QuickstartOptions } from './command-line.ts'

/** The Envoy to run, fetched when need be; `undefined`, and a line that says why, when the walk has to do without. */
export async function envoyFor(
  { noEnvoy }: QuickstartOptions,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (noEnvoy) return undefined
  const found: { path?: string; reason?: string } = await findEnvoy({ fetch: true, say })
  const { path, reason } = found
  if (path === undefined) {
    say(
      `No real Envoy (${reason}): a small stand-in plays its ext_authz filter. ENVOY_BIN=/path/to/envoy names one.`,
    )
  }
  return path
}
