import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import {
  type BrokerProcess,
  envoyBootstrap,
  type ListenerParts,
  listening,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { ask, type ClientAnswer } from '../harness/client-request.ts'
import { requireEnvoy } from '../harness/with-envoy.ts'
import { type OnCallView, viewOf } from './on-call-view.ts'

/** A line of the broker's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** Everything that an operator on call has: the client's answer, the log at its default level, the metrics, readiness, the status page, `doctor`. */
export interface OnCallScene extends OnCallView, AsyncDisposable {
  /** A URL behind Envoy. */
  readonly url: string
  /** Sends a request through Envoy. */
  ask(headers?: Readonly<Record<string, string>>): Promise<ClientAnswer>
  /** The first line with these fields, or with texts that match; waits for it. */
  line(fields: LogLine): Promise<LogLine>
  readonly log: string
  /** The value of one series, such as `checks_total{outcome="allow",protocol="http"}`; 0 when it is not there. */
  metric(series: string): Promise<number>
  /** The answer of `/readyz`. */
  ready(): Promise<string>
}

export interface OnCallOptions {
  /** The variables of the broker; `LOG_FORMAT` and `LOG_LEVEL` keep their defaults. */
  readonly environment: Readonly<Record<string, string>>
  /** Changes Envoy's listener. */
  readonly listener?: (parts: ListenerParts) => void
  /** Default: it answers every request with 200. */
  readonly backend?: RequestListener
}

/** Starts the broker and the shipped Envoy in front of it. */
export async function startOnCallScene({
  environment,
  listener = () => {},
  backend: answer = (_, response) => response.end('backend'),
}: OnCallOptions): Promise<OnCallScene> {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await startBroker(environment))
  const backend = stack.use(await listening(answer))
  const bootstrap = envoyBootstrap({
    brokers: [broker],
    backendPort: backend.port,
    listeners: { ingress: listener },
  })
  const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  const resources = stack.move()
  const url = `http://127.0.0.1:${envoy.port('ingress')}/orders`
  return {
    ...viewOf(broker, environment),
    url,
    ask: (headers = {}) => ask(envoy.port('ingress'), { headers, target: '/orders' }),
    line: fields =>
      broker.process.until(`a line with ${inspect(fields)}`, () =>
        logLines(broker).find(line =>
          Object.entries(fields).every(([name, wanted]) =>
            wanted instanceof RegExp ? wanted.test(String(line[name])) : line[name] === wanted,
          ),
        ),
      ),
    get log() {
      return broker.process.log
    },
    metric: series => seriesValue(broker, series),
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${broker.adminPort}/readyz`)
      return (await response.text()).trim()
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** The path of a certificate that these tests share. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
}

/** A certificate with its key. */
export function tlsIdentity(name: string): { cert: string; key: string } {
  const read = (end: string) => readFileSync(fixturePath(`${name}.${end}`), 'utf8')
  return { cert: read('crt'), key: read('key') }
}

function logLines(broker: BrokerProcess): LogLine[] {
  return broker.process.log
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as LogLine)
}

async function seriesValue({ adminPort }: BrokerProcess, series: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
  const start = `dex_token_broker_${series} `
  const line = (await response.text()).split('\n').find(text => text.startsWith(start))
  return line === undefined ? 0 : Number(line.slice(start.length))
}
