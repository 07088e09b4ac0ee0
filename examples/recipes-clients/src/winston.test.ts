import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { TokenBroker } from '@broker/core'
import winston from 'winston'
import { clientSecret, startOrdersDex } from './orders-dex.ts'
import { winstonLogger } from './winston.ts'

test('the broker logs text and fields to winston, without a secret', async () => {
  await using dex = await startOrdersDex()
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const { issuer } = dex
  // #region use
  const log = winston.createLogger({
    level: 'debug',
    format: winston.format.json(),
    transports: [new winston.transports.Stream({ stream })],
  })
  await using broker = new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
    logger: winstonLogger(log),
  })
  // #endregion use
  const { accessToken } = await broker.getToken()
  await assert.rejects(broker.getToken({ audiences: ['billing'] }))
  assert.equal(dex.counts.tokenRequests, 2)

  const entries = lines.map(line => JSON.parse(line))
  assert.ok(entries.some(({ message, level }) => message === 'token issued' && level === 'debug'))
  const failed = entries.find(({ message }) => message.startsWith('token request failed'))
  assert.equal(failed?.code, 'token_request_rejected')
  for (const secret of [clientSecret, accessToken]) assert.ok(!lines.join('').includes(secret))
})
