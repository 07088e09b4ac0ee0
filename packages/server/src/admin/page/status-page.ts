import type { Context, Hono } from 'hono'
import type { Config } from '../../config/config.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { SharedRendering } from '../shared-rendering.ts'
import { EventStreams } from './event-streams.ts'
import { answersPage } from './page-access.ts'
import { PageSource, type PageSourceOptions } from './page-source.ts'

type Asked = Context<AdminEnvironment>

/** Loaded only for people. */
const texts = () => import('./page-texts.ts')

/** The status page: `/` for people, `/status` for programs, `/status/events` for a page that is open. */
export class StatusPage implements Disposable {
  readonly #access: () => Config['adminPage']
  readonly #source: PageSource
  readonly #document: SharedRendering
  readonly #json: SharedRendering
  readonly #streams: EventStreams

  constructor(options: PageSourceOptions) {
    const source = new PageSource(options)
    this.#access = () => options.config().adminPage
    this.#source = source
    this.#document = new SharedRendering(async () => (await texts()).documentText(await source.read()))
    this.#json = new SharedRendering(async () => (await texts()).jsonText(await source.read()))
    this.#streams = new EventStreams(async () => (await texts()).eventText(await source.read()))
  }

  /** Adds its routes. Requests that may not see it are answered like a path that does not exist. */
  addTo(app: Hono<AdminEnvironment>): void {
    app.get('/', asked => this.#answer(asked, this.#document, 'text/html; charset=utf-8'))
    app.get('/status', asked => this.#answer(asked, this.#json, 'application/json; charset=utf-8'))
    app.get('/status/events', asked => this.#answerWithEvents(asked))
  }

  /** Ends the connections of open pages, which would hold a stop up. */
  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]()
    this.#streams[Symbol.dispose]()
  }

  async #answer(asked: Asked, rendering: SharedRendering, type: string): Promise<Response> {
    if (!this.#isAllowed(asked)) return asked.notFound()
    const { pageHeaders } = await texts()
    return asked.body(await rendering.text(), 200, { ...pageHeaders, 'content-type': type })
  }

  async #answerWithEvents(asked: Asked): Promise<Response> {
    if (!this.#isAllowed(asked)) return asked.notFound()
    const { pageHeaders } = await texts()
    const headers = { ...pageHeaders, 'content-type': 'text/event-stream; charset=utf-8' }
    // An open page learns by HEAD why its events were refused.
    const isHead = asked.req.method === 'HEAD'
    if (isHead && this.#streams.hasRoom) return asked.body(null, 200, headers)
    const events = isHead ? undefined : this.#streams.open(() => this.#isAllowed(asked))
    if (events !== undefined) return asked.body(events, 200, headers)
    return asked.text('too many open pages\n', 503, { ...pageHeaders, 'retry-after': '10' })
  }

  #isAllowed({ env }: Asked): boolean {
    return answersPage(this.#access(), env?.incoming)
  }
}
