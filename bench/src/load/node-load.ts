import { fileURLToPath } from 'node:url'
import { ManagedProcess } from '@broker/testing'
import type { LoadGenerator, LoadResult } from './load.ts'

const script = fileURLToPath(new URL('node-load-child.ts', import.meta.url))

/** A generator on plain sockets in a separate process, for machines without wrk. */
export const nodeLoad: LoadGenerator = {
  name: 'plain sockets in Node.js (wrk was not found)',
  async run(load) {
    await using child = new ManagedProcess('the load generator', process.execPath, [script], { ipc: true })
    return await child.ask<LoadResult>(load as never)
  },
}
