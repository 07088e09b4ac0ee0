import { execFileSync } from 'node:child_process'
import type { LoadGenerator } from './load.ts'
import { nodeLoad } from './node-load.ts'
import { wrk } from './wrk.ts'

/** wrk when it is on the PATH, else a generator in Node, which needs more CPU time for each request. */
export function findLoadGenerator(): LoadGenerator {
  const binary = process.env['WRK_BIN'] || 'wrk'
  try {
    execFileSync(binary, ['--version'], { stdio: 'ignore' })
  } catch (error) {
    // wrk ends with 1 after it has printed its version.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nodeLoad
  }
  return wrk(binary)
}
