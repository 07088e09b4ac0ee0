import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Config } from '../config/config.ts'
import { parseLogLevel } from '../config/values/log-level.ts'
import type { LogLevelControl } from '../log-level-control.ts'
import type { AdminEnvironment } from './admin-environment.ts'
import { answersPage } from './page/page-access.ts'

type Asked = Context<AdminEnvironment>

/** Far more than the longest name of a level. */
const maxLevelBytes = 64

/** `/log-level`: GET tells the level of the log, PUT changes it; the body is its name, as in LOG_LEVEL. */
export class LogLevelPage {
  readonly #control: Pick<LogLevelControl, 'name' | 'set'>
  readonly #config: () => Pick<Config, 'adminPage'>

  constructor(control: Pick<LogLevelControl, 'name' | 'set'>, config: () => Pick<Config, 'adminPage'>) {
    this.#control = control
    this.#config = config
  }

  /** Adds its routes. Requests that may not see it are answered like a path that does not exist. */
  addTo(app: Hono<AdminEnvironment>): void {
    app.use('/log-level', async (asked, next) =>
      answersPage(this.#config().adminPage, asked.env?.incoming) ? next() : asked.notFound(),
    )
    app.get('/log-level', asked => this.#tell(asked))
    app.put('/log-level', bodyLimit({ maxSize: maxLevelBytes }), asked => this.#set(asked))
  }

  async #set(asked: Asked): Promise<Response> {
    // Only browsers send it: with DNS rebinding, a page of anybody is of the same origin as this listener.
    if (asked.req.header('origin') !== undefined) {
      return asked.text('a browser cannot change the level; use curl\n', 403)
    }
    const level = parseLogLevel((await asked.req.text()).trim())
    if (level === undefined) return asked.text('the level must be DEBUG, INFO, WARN or ERROR\n', 400)
    this.#control.set(level, 'admin')
    return this.#tell(asked)
  }

  #tell(asked: Asked): Response {
    return asked.text(`${this.#control.name}\n`)
  }
}
