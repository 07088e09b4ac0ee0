import type { HttpBindings } from '@hono/node-server'

/** The bindings that a Node listener passes to the admin app; absent elsewhere. */
export interface AdminEnvironment {
  Bindings: Partial<HttpBindings>
}
