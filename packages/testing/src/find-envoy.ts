import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const finder = fileURLToPath(new URL('../../../scripts/workspace/find-envoy.mjs', import.meta.url))

/** An Envoy that runs, or why there is none. */
export type FoundEnvoy =
  | { readonly path: string; readonly reason?: undefined }
  | { readonly path: undefined; readonly reason: string }

/** Finds a real Envoy: ENVOY_BIN, `envoy` on the PATH, or the one that was fetched; with `fetch` it may be fetched now. */
export function findEnvoy({
  fetch = false,
  say = () => {},
}: {
  fetch?: boolean
  say?: (line: string) => void
} = {}): Promise<FoundEnvoy> {
  return new Promise(resolve => {
    const args = fetch ? [finder, '--fetch'] : [finder]
    const child = execFile(process.execPath, args, (_error, stdout, stderr) => {
      const path = stdout.trim()
      const reason = (stderr.trim().split('\n').at(-1) ?? '').replace(/^No Envoy: /, '')
      resolve(path === '' ? { path: undefined, reason } : { path })
    })
    child.stderr?.on('data', text => {
      if (String(text).startsWith('Fetching')) say(String(text).trim())
    })
  })
}
