import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Registry } from 'prom-client'
import type { AdminEnvironment } from './admin-environment.ts'
import { isLocalOperator } from './is-local-operator.ts'
import { SharedRendering } from './shared-rendering.ts'

export interface AdminAppOptions {
  /** Why no checks should be sent here; `undefined` when the broker is ready. */
  readonly notReadyBecause: () => string | undefined
  readonly registry: Registry
  /** Says what is missing, for `/readyz?verbose` from this host. */
  readonly verbose?: { text(): Promise<string> } | undefined
  /** The status page; `undefined` leaves it out. */
  readonly page?: AdminPage | undefined
  /** `/log-level`; `undefined` leaves it out. */
  readonly logLevel?: AdminPage | undefined
  /** Called with the error of a request that is answered with 500. */
  readonly onFailure?: (error: Error) => void
}

/** A page that adds its own routes. */
interface AdminPage {
  addTo(app: Hono<AdminEnvironment>): void
}

/** For operators and orchestrators, on a separate port: `/healthz`, `/readyz`, `/metrics`, the status page, and `/log-level`. */
export function createAdminApp({
  notReadyBecause,
  registry,
  verbose,
  page,
  logLevel,
  onFailure,
}: AdminAppOptions): Hono<AdminEnvironment> {
  const app = new Hono<AdminEnvironment>()
  const metrics = new SharedRendering(() => registry.metrics())
  app.get('/healthz', context => context.text('ok\n'))
  app.get('/readyz', async context => {
    const reason = notReadyBecause()
    if (reason === undefined) return context.text('ready\n')
    const incoming = context.env?.incoming
    const wantsMore = context.req.query('verbose') !== undefined && incoming && isLocalOperator(incoming)
    const more = wantsMore ? await verbose?.text() : undefined
    return context.text(`not ready: ${reason}\n${more === undefined ? '' : `\n${more}`}`, 503)
  })
  app.get('/metrics', async context =>
    context.body(await metrics.text(), 200, { 'content-type': registry.contentType }),
  )
  page?.addTo(app)
  logLevel?.addTo(app)
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse()
    // A request that was cut off fails too, and nobody waits for its answer.
    if (!context.env?.incoming?.destroyed) onFailure?.(error)
    return context.text('internal error\n', 500)
  })
  return app
}
