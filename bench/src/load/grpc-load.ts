import { fileURLToPath } from 'node:url'
import type { LoadGenerator } from './load.ts'
import { loadInNode } from './load-in-node.ts'

/**
 * A generator of HTTP/2 frames in a separate process. The requests file has one message. The checks that are under way at a time share
 * two connections, as from an Envoy with two workers.
 */
export const grpcLoad: LoadGenerator = loadInNode(
  'HTTP/2 frames from Node.js',
  fileURLToPath(new URL('grpc-load-child.ts', import.meta.url)),
)
