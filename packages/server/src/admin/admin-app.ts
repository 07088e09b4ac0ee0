import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Registry } from 'prom-client'
import { SharedRendering } from './shared-rendering.ts'

export interface AdminAppOptions {
  /** Why no checks should be sent here; `undefined` when the broker is ready. */
  readonly notReadyBecause: () => string | undefined
  readonly registry: Registry
}

/** For operators and orchestrators, on a separate port: `/healthz`, `/readyz`, `/metrics`. */
export function createAdminApp({ notReadyBecause, registry }: AdminAppOptions): Hono {
  const app = new Hono()
  const metrics = new SharedRendering(() => registry.metrics())
  app.get('/healthz', context => context.text('ok\n'))
  app.get('/readyz', context => {
    const reason = notReadyBecause()
    return reason === undefined ? context.text('ready\n') : context.text(`not ready: ${reason}\n`, 503)
  })
  app.get('/metrics', async context =>
    context.body(await metrics.text(), 200, { 'content-type': registry.contentType }),
  )
  return app
}
