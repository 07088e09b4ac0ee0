import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { listening } from '@broker/testing'
import { extAuthz } from './ext-authz-settings.ts'
import type { Gateway, GatewayOptions } from './gateway.ts'

// This is not Envoy. It plays the part of Envoy's HTTP ext_authz filter, as far as the broker can tell the
// difference: what goes into a check, and what becomes of each kind of answer. It has none of Envoy's routing, limits
// and path normalisation, so use it to look at the broker, never to guard anything.

type HeaderMap = Record<string, string>

/** Below the time after which the broker closes an idle connection, or a check could meet its end. */
const idleMs = 55_000
/** These steer a connection, and each connection has its own; `expect` is answered here. */
const connectionHeaders = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'expect']
const removeHeader = 'x-envoy-auth-headers-to-remove'

/** Starts a gateway that asks the broker about every request and forwards those that it allows. */
export async function startEnvoyFilter({ port, brokerUrl, backendUrl }: GatewayOptions): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true, timeout: idleMs })
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, { brokerUrl, backendUrl, agent }).catch(() => {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(extAuthz.statusOnError, { 'content-length': 0 }).end()
    })
  })
  const { url, [Symbol.asyncDispose]: stopListening } = await listening(server, port)
  const close = async () => {
    await stopListening()
    agent.destroy()
  }
  return { url, description: "plays Envoy's ext_authz filter", close }
}

interface Surroundings {
  readonly brokerUrl: string
  readonly backendUrl: string
  readonly agent: Agent
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  around: Surroundings,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const headers = clientHeaders(incoming)
  const check = await answerTo(
    around.brokerUrl,
    {
      agent: around.agent,
      method: incoming.method,
      // The raw path, dot segments and all: Envoy appends it without a look at it.
      path: extAuthz.pathPrefix + incoming.url,
      headers: checkHeaders(headers),
      signal: AbortSignal.any([gone.signal, AbortSignal.timeout(extAuthz.timeoutMs)]),
    },
    undefined,
  )
  if (check.statusCode === 200) {
    check.resume()
    const upstream = upstreamHeaders(headers, joinedHeaders(check.rawHeaders))
    const { method, url: path } = incoming
    const { signal } = gone
    const answer = await answerTo(
      around.backendUrl,
      { agent: around.agent, method, path, headers: upstream, signal },
      incoming,
    )
    outgoing.writeHead(answer.statusCode ?? 0, withoutConnectionHeaders(joinedHeaders(answer.rawHeaders)))
    await pipeline(answer, outgoing)
  } else if ((check.statusCode ?? 500) < 500) {
    outgoing.writeHead(check.statusCode ?? 0, denialHeaders(joinedHeaders(check.rawHeaders)))
    await pipeline(check, outgoing)
  } else {
    check.resume()
    outgoing.writeHead(extAuthz.statusOnError, { 'content-length': 0 }).end()
  }
}

function answerTo(
  url: string,
  options: Parameters<typeof request>[1],
  body: IncomingMessage | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, resolve).on('error', reject)
    if (body === undefined) outgoing.end()
    else pipeline(body, outgoing).catch(reject)
  })
}

/** The client's headers as the filter sees them: nobody outside may send Envoy's own, and a hop adds its address. */
function clientHeaders({ rawHeaders, socket }: IncomingMessage): HeaderMap {
  const headers = withoutConnectionHeaders(joinedHeaders(rawHeaders))
  for (const name of Object.keys(headers)) if (name.startsWith('x-envoy-')) delete headers[name]
  const address = socket.remoteAddress ?? ''
  headers['x-forwarded-for'] = [headers['x-forwarded-for'], address].filter(Boolean).join(',')
  return headers
}

function checkHeaders(headers: HeaderMap): HeaderMap {
  return {
    ...pick(headers, ['host', 'authorization', 'x-forwarded-for', ...extAuthz.allowedHeaders]),
    'content-length': '0',
    'x-envoy-expected-rq-timeout-ms': String(extAuthz.timeoutMs),
  }
}

/** Set first, remove last: a name in both lists would be gone. */
function upstreamHeaders(headers: HeaderMap, answer: HeaderMap): HeaderMap {
  const upstream = { ...headers, ...pick(answer, extAuthz.allowedUpstreamHeaders) }
  for (const name of (answer[removeHeader] ?? '').split(',')) {
    // Envoy does not let go of this one.
    if (name.trim().toLowerCase() !== 'host') delete upstream[name.trim().toLowerCase()]
  }
  return upstream
}

function denialHeaders(answer: HeaderMap): HeaderMap {
  return pick(answer, ['content-length', 'www-authenticate', 'location', ...extAuthz.allowedClientHeaders])
}

function withoutConnectionHeaders(headers: HeaderMap): HeaderMap {
  for (const name of connectionHeaders) delete headers[name]
  return headers
}

/** Lines of the same name become one, joined with a comma, as Envoy does it. */
function joinedHeaders(lines: readonly string[]): HeaderMap {
  // Without a prototype: a client may send a header named `constructor`.
  const headers: HeaderMap = Object.create(null)
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = (lines[index] as string).toLowerCase()
    const value = lines[index + 1] as string
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  }
  return headers
}

function pick(headers: HeaderMap, names: readonly string[]): HeaderMap {
  return Object.fromEntries(
    names.flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  )
}
