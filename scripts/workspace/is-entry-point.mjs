import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Whether Node.js was started with the module of `meta`, an `import.meta`. `import.meta.main` says it from Node.js 24.2 on; with an older
 * one it is `undefined`, and a script that trusts it does nothing and ends with 0.
 */
export function isEntryPoint(meta, startedWith = process.argv[1]) {
  if (meta.main !== undefined) return meta.main
  return startedWith !== undefined && realpathSync(startedWith) === fileURLToPath(meta.url)
}
