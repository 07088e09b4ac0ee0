import { shownUrl } from './http/shown-url.ts'
import type { Span, SpanAttributes, SpanContext, Tracer } from './tracer.ts'

/** The span of one request to an upstream. */
export interface UpstreamSpan {
  readonly name: 'token request' | 'jwks fetch' | 'discovery'
  readonly method: 'GET' | 'POST'
  readonly parent: SpanContext | undefined
  readonly attributes?: SpanAttributes | undefined
}

/** A request to an upstream, as its span shows it. */
interface TracedRequest {
  readonly url: string
  /** Number of the attempt, from 1. */
  readonly attempt: number
}

/** Starts the span of a request, with the stable attributes for HTTP clients. The URL is without its query. */
export function startUpstreamSpan(
  tracer: Tracer,
  { name, method, parent, attributes }: UpstreamSpan,
  { url, attempt }: TracedRequest,
): Span {
  const { hostname, port, protocol } = new URL(url)
  return tracer.start({
    name,
    kind: 'client',
    parent,
    attributes: {
      'http.request.method': method,
      'server.address': hostname,
      'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      'url.full': shownUrl(url),
      ...(attempt > 1 && { 'http.request.resend_count': attempt - 1 }),
      ...attributes,
    },
  })
}
