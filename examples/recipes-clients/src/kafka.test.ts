import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BrokerError, TokenBroker } from '@broker/core'
import { createCertificateAuthority } from '@broker/testing'
import kafkajs, { type KafkaConfig } from 'kafkajs'
import { oauthBearer } from './kafka.ts'
import { type KafkaStandIn, type KafkaStandInOptions, startKafkaStandIn } from './kafka-stand-in.ts'
import { acceptsTokensOf, clientSecret, startOrdersDex } from './orders-dex.ts'

const dex = await startOrdersDex()
const { issuer } = dex
after(() => dex.close())

const ca = createCertificateAuthority()
const refused = new Set<string>()
const acceptsByKeys = acceptsTokensOf(dex)
const accepts = async (token: string) => !refused.has(token) && (await acceptsByKeys(token))
const logged: string[] = []

function testBroker(secret = clientSecret): TokenBroker {
  dex.resetRecords()
  return new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret: secret, audiences: ['orders'] },
  })
}

function adminOf(broker: TokenBroker, address: string, options: Partial<KafkaConfig> = {}) {
  const kafka = new kafkajs.Kafka({
    clientId: 'reports',
    brokers: [address],
    ssl: { ca: [ca.cert] },
    sasl: oauthBearer(broker),
    retry: { retries: 2, initialRetryTime: 50 },
    logCreator: () => entry => void logged.push(JSON.stringify(entry)),
    ...options,
  })
  return kafka.admin()
}

function startKafka(options: Partial<KafkaStandInOptions> = {}): Promise<KafkaStandIn> {
  return startKafkaStandIn({ tls: ca.issue('localhost'), accepts, sessionMs: 60_000, ...options })
}

test('a connection authenticates with a token that Kafka verifies by the keys of Dex', async () => {
  await using kafka = await startKafka()
  await using broker = testBroker()
  const admin = adminOf(broker, kafka.address)
  await admin.connect()
  assert.deepEqual(await admin.listTopics(), [])
  await admin.disconnect()
  assert.ok(kafka.tokens.length >= 1)
  assert.equal(dex.counts.tokenRequests, 1)
})

test('a connection authenticates again before its session ends', async () => {
  await using kafka = await startKafka({ sessionMs: 1_000 })
  await using broker = testBroker()
  // The threshold is longer than the session: each call authenticates again.
  const admin = adminOf(broker, kafka.address, { reauthenticationThreshold: 10_000 })
  await admin.connect()
  const before = kafka.tokens.length
  await admin.listTopics()
  await admin.listTopics()
  await admin.disconnect()
  assert.ok(kafka.tokens.length >= before + 2, `${kafka.tokens.length} authentications`)
  assert.equal(dex.counts.tokenRequests, 1)
})

test('a token that Kafka refuses is replaced, and the connection made again', async () => {
  await using kafka = await startKafka()
  await using broker = testBroker()
  refused.add((await broker.getToken()).accessToken)
  const admin = adminOf(broker, kafka.address)
  await admin.connect()
  assert.deepEqual(await admin.listTopics(), [])
  await admin.disconnect()
  assert.equal(dex.counts.tokenRequests, 2)
})

test('a Kafka that refuses each token gets two of them, and the call fails', async () => {
  await using kafka = await startKafka({ accepts: async () => false })
  await using broker = testBroker()
  const admin = adminOf(broker, kafka.address)
  await assert.rejects(admin.connect(), { message: 'Kafka refused the token', retriable: false })
  await admin.disconnect()
  assert.equal(kafka.tokens.length, 2)
  assert.equal(dex.counts.tokenRequests, 2)
})

test('a rejected client fails at once, and a failing Dex is asked again', async () => {
  await using kafka = await startKafka()
  await using rejected = testBroker('wrong')
  const failing = adminOf(rejected, kafka.address)
  await assert.rejects(failing.connect(), ({ cause }: Error) => {
    assert.ok(BrokerError.is(cause))
    assert.equal(cause.code, 'client_misconfigured')
    return true
  })
  await failing.disconnect()
  assert.equal(dex.counts.tokenRequests, 1)
  assert.deepEqual(kafka.tokens, [])

  await using broker = testBroker()
  // The broker's own retries come first.
  dex.setFault('token', { kind: 'html', status: 503, times: 3 })
  const admin = adminOf(broker, kafka.address)
  await admin.connect()
  await admin.disconnect()
  dex.clearFaults()
  assert.equal(kafka.tokens.length, 1)
})

test('no token and no secret is in the log of kafkajs', () => {
  const log = logged.join('\n')
  assert.match(log, /Kafka refused the token/)
  assert.ok(!log.includes('eyJ') && !log.includes(clientSecret))
})
