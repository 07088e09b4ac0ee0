import { fileURLToPath } from 'node:url'
import { ManagedProcess } from '@broker/testing'

const script = fileURLToPath(new URL('collector-child.ts', import.meta.url))

/** A collector of spans in a separate process. */
export interface Collector extends AsyncDisposable {
  /** The value of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string
  /** How many spans it has received. */
  spans(): Promise<number>
}

export async function startCollector(): Promise<Collector> {
  const child = new ManagedProcess('the collector', process.execPath, [script], { ipc: true })
  return {
    url: await child.ask<string>('url'),
    spans: () => child.ask<number>('spans'),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
