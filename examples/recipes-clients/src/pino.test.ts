import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBroker } from '@broker/core'
import { startRecordingServer } from '@broker/testing'
import axios from 'axios'
import got from 'got'
import { pino } from 'pino'
import { clientSecret, startOrdersDex } from './orders-dex.ts'
import { createLogger } from './pino.ts'

test('the broker logs to pino, without a secret', async () => {
  await using dex = await startOrdersDex()
  const lines: string[] = []
  const logger = createLogger({ write: line => void lines.push(line) })
  const { issuer } = dex
  await using broker = new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
    logger,
  })
  const { accessToken } = await broker.getToken()
  await assert.rejects(broker.getToken({ audiences: ['billing'] }))
  assert.equal(dex.counts.tokenRequests, 2)

  const entries = lines.map(line => JSON.parse(line))
  assert.ok(entries.some(({ msg, level }) => msg === 'issuer discovered' && level === 30))
  const failed = entries.find(({ msg }) => msg.startsWith('token request failed'))
  assert.equal(failed?.code, 'token_request_rejected')
  for (const secret of [clientSecret, accessToken]) assert.ok(!lines.join('').includes(secret))
})

test('a logged error of axios and of got shows no token', async () => {
  await using api = await startRecordingServer((_, response) => response.writeHead(500).end())
  const headers = { authorization: 'Bearer the-token' }
  const failures = [
    await axios.get(api.url, { headers }).catch((error: unknown) => error),
    await got(api.url, { headers, retry: { limit: 0 } }).catch((error: unknown) => error),
  ]
  const plain: string[] = []
  const redacted: string[] = []
  for (const err of failures) {
    pino({}, { write: line => void plain.push(line) }).error({ err }, 'call failed')
    createLogger({ write: line => void redacted.push(line) }).error({ err }, 'call failed')
  }
  assert.equal(plain.length, 2)
  assert.equal(redacted.length, 2)
  for (const line of plain) assert.ok(line.includes('the-token'))
  for (const line of redacted) {
    assert.ok(!line.includes('the-token'))
    assert.match(line, /status code 500/)
  }
})
