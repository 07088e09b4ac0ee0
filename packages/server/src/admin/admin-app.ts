import { Hono } from 'hono'
import type { Registry } from 'prom-client'

export interface AdminAppOptions {
  /** Why no checks should be sent here, or `undefined` when they may be. */
  readonly notReadyBecause: () => string | undefined
  readonly registry: Registry
}

/** For the operator and the orchestrator, on a port of its own: `/healthz`, `/readyz`, `/metrics`. */
export function createAdminApp({ notReadyBecause, registry }: AdminAppOptions): Hono {
  const app = new Hono()
  app.get('/healthz', context => context.text('ok\n'))
  app.get('/readyz', context => {
    const reason = notReadyBecause()
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503)
  })
  app.get('/metrics', async context =>
    context.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  )
  return app
}
