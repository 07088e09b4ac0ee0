import { ManagedProcess } from '@broker/testing'
import type { LoadGenerator, LoadResult } from './load.ts'

/** A generator in a separate process of Node, whose script calls `serveLoad`. */
export function loadInNode(name: string, script: string): LoadGenerator {
  return {
    name,
    async run(load, onOpen = () => {}) {
      await using child = new ManagedProcess('the load generator', process.execPath, [script], { ipc: true })
      await child.ask(load as never)
      onOpen()
      return await child.ask<LoadResult>('run')
    },
  }
}
