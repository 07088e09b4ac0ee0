import { fileURLToPath } from 'node:url'
import { ManagedProcess } from '@broker/testing'
import type { LoadGenerator, LoadResult } from './load.ts'

const script = fileURLToPath(new URL('grpc-load-child.ts', import.meta.url))

/**
 * A generator of HTTP/2 frames in a separate process. The requests file has one message. The checks that are under way at a time share
 * two connections, as from an Envoy with two workers.
 */
export const grpcLoad: LoadGenerator = {
  name: 'HTTP/2 frames from Node.js',
  async run(load) {
    await using child = new ManagedProcess('the load generator', process.execPath, [script], { ipc: true })
    return await child.ask<LoadResult>(load as never)
  },
}
