import { fileURLToPath } from 'node:url'
import type { LoadGenerator } from './load.ts'
import { loadInNode } from './load-in-node.ts'

/** A generator on plain sockets in a separate process, for machines without wrk, and for TLS. */
export const nodeLoad: LoadGenerator = loadInNode(
  'sockets of Node.js',
  fileURLToPath(new URL('node-load-child.ts', import.meta.url)),
)
