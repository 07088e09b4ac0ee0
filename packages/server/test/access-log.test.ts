import { expect, test } from 'vitest'
import { orders, startBroker } from './support/start-broker.ts'

const ids = { 'x-request-id': 'a-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
const idFields = {
  protocol: 'http',
  request_id: 'a-1',
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: 'b7ad6b7169203331',
}
const duration = expect.toSatisfy((ms: unknown) => typeof ms === 'number' && ms >= 0 && ms < 60_000)

async function checksOf(environment: Readonly<Record<string, string>>) {
  await using broker = await startBroker({ LOG_LEVEL: 'INFO', ...environment })
  await broker.check({ headers: { ...orders, ...ids } })
  await broker.check({ headers: { ...orders, ...ids }, target: '/check/people/alice?token=abc' })
  await broker.check({ headers: { ...orders, 'x-client-secret': 'wrong', ...ids } })
  await broker.check({ headers: ids })
  return broker.log.filter(({ msg }) => msg === 'check')
}

const allowed = { outcome: 'allow', status: 200, client: 'caller', durationMs: duration, ...idFields }
const refused = { outcome: 'deny', status: 401, durationMs: duration, ...idFields }
const refusedLines = [
  {
    ...refused,
    code: 'token_request_rejected',
    reason: 'the client credentials or the scope were rejected',
    client: 'caller',
    cache: 'miss',
  },
  {
    ...refused,
    code: 'missing_credentials',
    reason: 'x-client-id and x-client-secret are missing',
  },
]
const line = (fields: object, level = 30) => ({ ...fields, level, time: expect.any(Number), msg: 'check' })

test('ACCESS_LOG=all has one line for each check, without its path', async () => {
  expect(await checksOf({ ACCESS_LOG: 'all' })).toEqual(
    [{ ...allowed, cache: 'miss' }, { ...allowed, cache: 'hit' }, ...refusedLines].map(each => line(each)),
  )
})

test('ACCESS_LOG=refused has the refused checks, each of them', async () => {
  expect(await checksOf({ ACCESS_LOG: 'refused' })).toEqual(refusedLines.map(each => line(each)))
})

test('by default single checks are logged at DEBUG, and once with both', async () => {
  expect(await checksOf({})).toEqual([])
  expect((await checksOf({ LOG_LEVEL: 'DEBUG' })).map(({ level }) => level)).toEqual([20, 20, 20, 20])
  expect((await checksOf({ LOG_LEVEL: 'DEBUG', ACCESS_LOG: 'refused' })).map(({ level }) => level)).toEqual([
    20, 20, 30, 30,
  ])
})
