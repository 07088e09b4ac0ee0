import { Agent, type IncomingMessage, type RequestOptions, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { EnvoyConfig } from './envoy-bootstrap.ts'
import { type Listening, listening } from './recording-server.ts'

type HeaderMap = Record<string, string>

/** These steer a connection, and each connection has its own; `expect` is answered here. */
const connectionHeaders = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'expect']
/** The shipped `status_on_error`, for a check that failed. */
const statusOnError = 503
/** Below the broker's keep-alive, so that this side closes first. */
const idleMs = 55_000

/**
 * Plays Envoy's HTTP ext_authz filter where there is no Envoy, by the settings of the bootstrap's first listener.
 *
 * It has none of Envoy's routing, limits, retries and path normalisation: use it to look at the broker, never to guard
 * anything.
 */
export async function startEnvoyStandIn(bootstrap: EnvoyConfig): Promise<Listening> {
  const settings = readSettings(bootstrap)
  const agent = new Agent({ keepAlive: true, timeout: idleMs })
  const server = await listening((incoming, outgoing) => {
    serve(incoming, outgoing, settings, agent).catch(() => {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(statusOnError, { 'content-length': 0 }).end()
    })
  }, settings.port)
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      agent.destroy()
    },
  }
}

type Settings = ReturnType<typeof readSettings>

function readSettings(bootstrap: EnvoyConfig) {
  const { listeners, clusters } = bootstrap['static_resources']
  const extAuthz = listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config
  const {
    path_prefix: pathPrefix,
    server_uri: broker,
    authorization_response: answer,
  } = extAuthz.http_service
  const portOf = (name: string): number =>
    clusters.find((cluster: EnvoyConfig) => cluster['name'] === name).load_assignment.endpoints[0]
      .lb_endpoints[0].endpoint.address.socket_address.port_value
  const names = ({ patterns }: { patterns: { exact: string }[] }) => patterns.map(({ exact }) => exact)
  return {
    port: listeners[0].address.socket_address.port_value as number,
    brokerPort: portOf(broker.cluster),
    backendPort: portOf('backend'),
    pathPrefix: pathPrefix as string,
    timeoutMs: Number.parseFloat(broker.timeout) * 1000,
    checkHeaders: ['host', 'authorization', 'x-forwarded-for', ...names(extAuthz.allowed_headers)],
    upstreamHeaders: names(answer.allowed_upstream_headers),
    refusalHeaders: ['content-length', 'www-authenticate', ...names(answer.allowed_client_headers)],
  }
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  settings: Settings,
  agent: Agent,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const { method, url: path = '/' } = incoming
  const headers = clientHeaders(incoming)
  const check = await send({
    ...{ agent, method, port: settings.brokerPort },
    // The raw path, dot segments and all: Envoy appends it as it is.
    path: settings.pathPrefix + path,
    headers: {
      ...pick(headers, settings.checkHeaders),
      'content-length': '0',
      'x-envoy-expected-rq-timeout-ms': String(settings.timeoutMs),
    },
    signal: AbortSignal.any([gone.signal, AbortSignal.timeout(settings.timeoutMs)]),
  })
  const { statusCode: status = 500 } = check
  const checkHeaders = joinedHeaders(check.rawHeaders)
  if (status === 200) {
    check.resume()
    const upstream = upstreamHeaders(headers, checkHeaders, settings)
    const { signal } = gone
    const options = { agent, method, path, port: settings.backendPort, headers: upstream, signal }
    const answer = await send(options, incoming)
    outgoing.writeHead(answer.statusCode ?? 500, withoutConnectionHeaders(joinedHeaders(answer.rawHeaders)))
    await pipeline(answer, outgoing)
  } else if (status < 500) {
    outgoing.writeHead(status, pick(checkHeaders, settings.refusalHeaders))
    await pipeline(check, outgoing)
  } else {
    check.resume()
    outgoing.writeHead(statusOnError, { 'content-length': 0 }).end()
  }
}

function send(options: RequestOptions, body?: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', ...options }, resolve).on('error', reject)
    if (body === undefined) outgoing.end()
    else pipeline(body, outgoing).catch(reject)
  })
}

/** Without the headers that Envoy takes from no client, and with the client's address. */
function clientHeaders({ rawHeaders, socket }: IncomingMessage): HeaderMap {
  const headers = withoutConnectionHeaders(joinedHeaders(rawHeaders))
  for (const name of Object.keys(headers)) if (name.startsWith('x-envoy-')) delete headers[name]
  headers['x-forwarded-for'] = [headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(',')
  return headers
}

/** Envoy sets first and removes last: a name in both lists is gone. It never removes `host`. */
function upstreamHeaders(headers: HeaderMap, check: HeaderMap, settings: Settings): HeaderMap {
  const upstream = { ...headers, ...pick(check, settings.upstreamHeaders) }
  const removed = (check['x-envoy-auth-headers-to-remove'] ?? '').toLowerCase().split(',')
  for (const name of removed.map(text => text.trim())) if (name !== 'host') delete upstream[name]
  return upstream
}

function withoutConnectionHeaders(headers: HeaderMap): HeaderMap {
  for (const name of connectionHeaders) delete headers[name]
  return headers
}

/** Repeated lines become one, joined with a comma, as Envoy does it. */
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
