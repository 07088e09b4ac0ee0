import type { Load, LoadResult } from './load.ts'

/** A load whose connections are open. */
export interface OpenLoad {
  /** Keeps all connections busy for the duration of the load, and closes them. */
  run(): Promise<LoadResult>
}

/** Serves the process that started this one: opens the connections at its first message, and runs the load at its second. */
export function serveLoad(open: (load: Load) => Promise<OpenLoad>): void {
  process.once('message', async (load: Load) => {
    const opened = await open(load)
    process.once('message', async () => {
      process.send?.(await opened.run())
      process.disconnect?.()
    })
    process.send?.('open')
  })
}
