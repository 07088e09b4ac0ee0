import { gunzipSync } from 'node:zlib'
import { type AnswerRequest, type ReceivedRequest, startRecordingServer } from '../recording-server.ts'
import { type ReceivedSpan, spansIn } from './received-span.ts'

/** A collector that receives spans: OTLP over HTTP, in protobuf. */
export interface OtlpReceiver extends AsyncDisposable {
  /** The value of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string
  readonly port: number
  readonly requests: readonly ReceivedRequest[]
  /** The spans of all requests so far, in the order of their arrival. */
  readonly spans: readonly ReceivedSpan[]
  /** Replaces how requests are answered from now on. */
  answer: AnswerRequest
}

/** Starts one on a free port of loopback. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const server = await startRecordingServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  return {
    url: server.url,
    port: server.port,
    requests: server.requests,
    get spans() {
      return server.requests.flatMap(request => spansIn(bodyOf(request)))
    },
    get answer() {
      return server.answer
    },
    set answer(answer) {
      server.answer = answer
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function bodyOf({ body, headers }: ReceivedRequest): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  return headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
}
