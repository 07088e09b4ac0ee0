import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { styleText } from 'node:util'
import { startDevDex } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { findEnvoy, freePort, listening, startBroker, startGateway } from '@broker/testing'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Options, runFromCommandLine } from './command-line.ts'

const client = { id: 'reports', secret: 'reports-secret' }
const credentials = { 'x-client-id': client.id, 'x-client-secret': client.secret }
const wrongSecret = { ...credentials, 'x-client-secret': 'wrong' }
const forgedIdToken = { ...credentials, 'x-id-token': 'forged' }
const openid = { ...credentials, 'x-scope': 'openid' }

/** Each: a name, how many requests at once, their headers, and what must come of them. */
const steps = [
  ['no credentials', 1, {}, '401, no token request, backend not reached'],
  ['first call', 1, credentials, '200, 1 token request, backend gets the token'],
  ['second call, token cached', 1, credentials, '200, no token request, backend gets the token'],
  ['forged ID token, removed', 1, forgedIdToken, '200, no token request, backend gets the token'],
  ['wrong secret', 1, wrongSecret, '401, 1 token request, backend not reached'],
  ['wrong secret again', 1, wrongSecret, '401, no token request, backend not reached'],
  ['100 at once, scope openid', 100, openid, '200, 1 token request, backend gets the token and the ID token'],
] as const
/** Headers that the backend must receive, and headers that it must never receive. */
const headersOfInterest = {
  authorization: 'the token',
  'x-id-token': 'the ID token',
  'x-client-id': 'the client id',
  'x-client-secret': 'the secret',
  'x-scope': 'the scope',
}

await runFromCommandLine(async (options, signal) => {
  const stopped = once(signal, 'abort')
  const envoyBinary = await Promise.race([envoyFor(options), stopped.then(() => undefined)])
  signal.throwIfAborted()

  // Stops the parts, the last one first, however this function ends.
  await using parts = new AsyncDisposableStack()
  async function start<Part extends AsyncDisposable>(starting: Promise<Part>): Promise<Part> {
    const part = parts.use(await starting)
    signal.throwIfAborted()
    return part
  }
  async function port(preferred: number): Promise<number> {
    if (options.once) return 0
    const free = await freePort(preferred)
    if (free !== preferred) console.log(`Port ${preferred} is taken; using ${free}.`)
    return free
  }

  const dex = await start(startDex(await port(5556)))
  const received: IncomingHttpHeaders[] = []
  const backend = await start(startBackend(await port(9000), dex, received))
  // The broker's whole configuration; docs/configuration.md has every variable.
  const environment = {
    DEX_TOKEN_URL: dex.tokenEndpoint,
    UPSTREAM_TOKEN_HEADERS: 'id_token:x-id-token',
    LOG_LEVEL: process.env['LOG_LEVEL'] || 'INFO',
  }
  const ports = {
    ...{ port: await port(8080), adminPort: await port(8081) },
    ...(options.grpc && { grpcPort: await port(8082) }),
  }
  const broker = await start(startBroker(environment, ports))
  if (options.verbose) broker.process.child.stdout?.pipe(process.stdout)
  const protocol = options.grpc ? 'grpc' : 'http'
  const gateway = {
    envoyBinary,
    protocol,
    port: await port(10000),
    broker,
    backendPort: backend.port,
  } as const
  const envoy = await start(
    startGateway(gateway).catch(explain('Envoy did not start; npm start -- --no-envoy runs without it')),
  )
  const url = `http://127.0.0.1:${envoy.port}`
  const bootstrap = options.grpc ? 'deploy/envoy/envoy-grpc.yaml' : 'deploy/envoy/envoy.yaml'
  const asked = options.grpc ? ` over gRPC on 127.0.0.1:${broker.grpcPort}` : ''
  console.log(`client -> Envoy -> backend. Envoy asks the broker about each request${asked}; the broker gets tokens from Dex.
  Envoy    ${url}, ${envoyBinary ? `with ${bootstrap}` : 'a small stand-in for it'}
  broker   http://127.0.0.1:${broker.port}, the command dex-token-broker
  Dex      ${dex.issuer}, ${process.env['DEX_BIN'] || 'a look-alike; DEX_BIN=/path/to/dex runs the real one'}
  backend  ${backend.url}, answers 401 without a token from Dex
`)

  const countTokenRequests = () => broker.metric('dex_token_broker_token_request_duration_seconds_count')
  let failures = 0
  for (const [name, calls, headers, expected] of steps) {
    const before = await countTokenRequests()
    received.length = 0
    const startedAt = performance.now()
    const answers = await Promise.all(Array.from({ length: calls }, () => fetch(url, { headers, signal })))
    const tookMs = performance.now() - startedAt
    const statuses = new Set(answers.map(({ status }) => status))
    const arrived = Object.entries(headersOfInterest).flatMap(([header, text]) =>
      received.some(headers => header in headers) ? [text] : [],
    )
    const requests = (await countTokenRequests()) - before
    const seen = [
      [...statuses].join(' and '),
      `${requests || 'no'} token request${requests > 1 ? 's' : ''}`,
      received.length === 0 ? 'backend not reached' : `backend gets ${arrived.join(' and ') || 'no token'}`,
    ].join(', ')
    const passed = seen === expected
    if (!passed) failures += 1
    const mark = passed ? styleText('green', '✓') : styleText('red', '✗')
    console.log(mark, name.padEnd(26), seen, passed ? `(${tookMs.toFixed(1)} ms)` : `(expected ${expected})`)
  }
  const exitCode = failures > 0 ? 1 : 0
  if (failures === 0) console.log(`\nAll ${steps.length} steps went as expected.`)
  else console.log(`\n${failures} of ${steps.length} steps failed. The broker's log:\n${broker.process.log}`)
  if (options.once) return exitCode

  const curl = `curl ${url}/hello -H 'x-client-id: ${client.id}' -H 'x-client-secret: ${client.secret}'`
  console.log(`
Everything keeps running until Ctrl-C. Try:
  ${curl}
  ${curl} -H 'x-scope: openid'
  curl -i ${url}/hello
  curl http://127.0.0.1:${broker.adminPort}/metrics`)
  const end = await Promise.race([stopped, broker.process.ended()])
  if (!signal.aborted)
    throw new Error(`The broker ended unexpectedly (${end}). Its log:\n${broker.process.log}`)
  return exitCode
})

async function envoyFor({ noEnvoy, grpc }: Options): Promise<string | undefined> {
  if (noEnvoy) return undefined
  const { path, reason } = await findEnvoy({ fetch: true, say: console.log })
  if (path === undefined && grpc) throw new Error(`--grpc needs an Envoy: ${reason}`)
  if (path === undefined) console.log(`No Envoy: ${reason}. A small stand-in takes its place.\n`)
  return path
}

async function startDex(port: number) {
  const clients = [client]
  const binary = process.env['DEX_BIN']
  if (!binary) return startDevDex({ port, clients })
  return startRealDex(binary, { port, clients }).catch(explain(`DEX_BIN=${binary} did not start`))
}

function explain(problem: string): (error: Error) => never {
  return error => {
    throw new Error(`${problem}: ${error.message}`, { cause: error })
  }
}

/** A backend that answers 200 to requests with a token from Dex, and keeps the headers of each request. */
function startBackend(
  port: number,
  dex: { issuer: string; jwksUri: string },
  received: IncomingHttpHeaders[],
) {
  const keys = createRemoteJWKSet(new URL(dex.jwksUri))
  return listening(async ({ headers, url }, response) => {
    received.push(headers)
    const token = headers.authorization?.replace('Bearer ', '') ?? ''
    const verified = await jwtVerify(token, keys, { issuer: dex.issuer }).catch(() => undefined)
    const answer = { path: url, audience: verified?.payload.aud, headers: Object.keys(headers) }
    response.writeHead(verified ? 200 : 401, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(answer, undefined, 2)}\n`)
  }, port)
}
