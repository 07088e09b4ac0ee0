import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { type LogLevel, parseLogLevel } from '../config/values/log-level.ts'
import { isLocalOperator } from './is-local-operator.ts'
import { answersPage } from './page/page-access.ts'
import { SharedRendering } from './shared-rendering.ts'

/** Far more than the longest name of a level. */
const maxLevelBytes = 64

/** The bindings that a Node listener passes to the app; absent elsewhere. */
export interface AdminEnvironment {
  Bindings: Partial<HttpBindings>
}

export interface AdminAppOptions {
  /** Why no checks should be sent here; `undefined` when the broker is ready. */
  readonly notReadyBecause: () => string | undefined
  readonly registry: Registry
  /** Says what is missing, for `/readyz?verbose` from this host. */
  readonly verbose?: { text(): Promise<string> } | undefined
  /** The level of the log, for `/log-level`. */
  readonly logLevel?: { readonly name: string; set(level: LogLevel, by: 'admin'): void } | undefined
  /** Access to the pages for operators. Default: nobody. */
  readonly page?: () => Config['adminPage']
}

/** For operators and orchestrators, on a separate port: `/healthz`, `/readyz`, `/metrics`, `/log-level`. */
export function createAdminApp({
  notReadyBecause,
  registry,
  verbose,
  logLevel,
  page = () => 'off',
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
  if (logLevel !== undefined) {
    app.use('/log-level', async (context, next) =>
      answersPage(page(), context.env?.incoming) ? next() : context.notFound(),
    )
    app.get('/log-level', context => context.text(`${logLevel.name}\n`))
    app.put('/log-level', bodyLimit({ maxSize: maxLevelBytes }), async context => {
      const level = parseLogLevel((await context.req.text()).trim())
      if (level === undefined) return context.text('the level must be DEBUG, INFO, WARN or ERROR\n', 400)
      logLevel.set(level, 'admin')
      return context.text(`${logLevel.name}\n`)
    })
  }
  return app
}
