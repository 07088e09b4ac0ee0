import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, test } from 'node:test'
import { TokenBroker } from '@broker/core'
import { createCertificateAuthority } from '@broker/testing'
import {
  type CallOptions,
  Client,
  credentials,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { repeatUnauthenticated, tokenCredentials } from './grpc.ts'
import { acceptsTokensOf, clientSecret, startOrdersDex } from './orders-dex.ts'

const dex = await startOrdersDex()
const { issuer } = dex
const accepts = acceptsTokensOf(dex)
const ca = createCertificateAuthority()

// A service with one method, from text to text; the other method never answers.
const method = (path: string) => ({
  path,
  requestStream: false as const,
  responseStream: false as const,
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: String,
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: String,
})
const definition = { list: method('/Orders/List'), hang: method('/Orders/Hang') }
const refused = new Set<string>()
const received: string[] = []
const list: handleUnaryCall<string, string> = async (call, callback) => {
  const token = String(call.metadata.get('authorization')[0]).replace('Bearer ', '')
  received.push(token)
  if (refused.has(token) || !(await accepts(token))) callback({ code: status.UNAUTHENTICATED })
  else callback(null, `three orders for ${call.request}`)
}
const hung = new EventEmitter()
const hang: handleUnaryCall<string, string> = (call, callback) => {
  const token = String(call.metadata.get('authorization')[0]).replace('Bearer ', '')
  if (refused.has(token)) return callback({ code: status.UNAUTHENTICATED })
  call.on('cancelled', () => hung.emit('cancelled'))
  hung.emit('started')
}
const server = new Server()
server.addService(definition, { list, hang })
const { cert, key } = ca.issue('localhost')
const port = await new Promise<number>((resolve, reject) =>
  server.bindAsync(
    '127.0.0.1:0',
    ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]),
    (error, bound) => (error ? reject(error) : resolve(bound)),
  ),
)
const address = `localhost:${port}`
after(async () => {
  server.forceShutdown()
  await dex.close()
})

function orders(broker: TokenBroker) {
  // #region use
  const channel = credentials.combineChannelCredentials(
    credentials.createSsl(Buffer.from(ca.cert)),
    tokenCredentials(broker),
  )
  const client = new Client(address, channel, { interceptors: [repeatUnauthenticated(broker)] })
  // #endregion use
  const call = (name: keyof typeof definition, callOptions: CallOptions = {}) => {
    const { path, requestSerialize, responseDeserialize } = definition[name]
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
    const running = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      'Alice',
      new Metadata(),
      callOptions,
      (error, answer) => (error ? reject(error) : resolve(answer)),
    )
    return { running, answer: promise }
  }
  return {
    call,
    list: (callOptions?: CallOptions) => call('list', callOptions).answer,
    [Symbol.dispose]: () => client.close(),
  }
}

function testBroker(secret = clientSecret): TokenBroker {
  return new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret: secret, audiences: ['orders'] },
  })
}

test('calls carry one token, over TLS', async () => {
  await using broker = testBroker()
  using client = orders(broker)
  dex.resetRecords()
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.list()))
  assert.deepEqual([...new Set(answers)], ['three orders for Alice'])
  assert.equal(dex.counts.tokenRequests, 1)
})

test('a refused token is replaced, and the call repeated once', async () => {
  await using broker = testBroker()
  using client = orders(broker)
  refused.add((await broker.getToken()).accessToken)
  dex.resetRecords()
  assert.equal(await client.list(), 'three orders for Alice')
  assert.equal(dex.counts.tokenRequests, 1)

  // The second token in a row that is refused: one repetition, and the server's status.
  refused.add((await broker.getToken()).accessToken)
  received.length = 0
  await assert.rejects(client.list(), { code: status.UNAUTHENTICATED })
  assert.equal(received.length, 2)
  assert.equal(dex.counts.tokenRequests, 1)
})

test('a rejected client is UNAUTHENTICATED, and nothing is sent', async () => {
  await using broker = testBroker('wrong')
  using client = orders(broker)
  dex.resetRecords()
  received.length = 0
  await assert.rejects(client.list(), (error: ServiceError) => {
    assert.equal(error.code, status.UNAUTHENTICATED)
    assert.match(error.details, /client_misconfigured/)
    return true
  })
  assert.equal(dex.counts.tokenRequests, 1)
  assert.equal(received.length, 0)
})

test('a Dex that fails is UNAVAILABLE', async () => {
  await using broker = testBroker()
  using client = orders(broker)
  dex.setFault('token', { kind: 'html', status: 503 })
  await assert.rejects(client.list(), (error: ServiceError) => {
    assert.equal(error.code, status.UNAVAILABLE)
    assert.match(error.details, /invalid_token_response: the token endpoint answered with status 503/)
    return true
  })
  dex.clearFaults()
})

test('a deadline ends the wait for the token', async () => {
  await using broker = testBroker()
  using client = orders(broker)
  dex.setFault('token', { kind: 'hang', times: 1 })
  received.length = 0
  // real time: grpc-js measures a deadline by the system clock.
  await assert.rejects(client.list({ deadline: Date.now() + 300 }), { code: status.DEADLINE_EXCEEDED })
  assert.equal(received.length, 0)
  dex.clearFaults()
})

test('a cancelled call is cancelled at the server, also when it is the repetition', async () => {
  await using broker = testBroker()
  using client = orders(broker)
  refused.add((await broker.getToken()).accessToken)
  const started = once(hung, 'started')
  const { running, answer } = client.call('hang')
  await started
  const cancelled = once(hung, 'cancelled')
  running.cancel()
  await assert.rejects(answer, { code: status.CANCELLED })
  await cancelled
})
