import { expect, test } from 'vitest'
import { traceOf } from '../src/trace-of.ts'
import { orders, startBroker } from './support/start-broker.ts'

test('a check in the log has the request id and the trace that Envoy forwards', async () => {
  await using broker = await startBroker()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await broker.check({ headers: { ...orders, 'x-request-id': 'a-1', traceparent } })
  expect(broker.log).toContainEqual(
    expect.objectContaining({ msg: 'check', outcome: 'allow', requestId: 'a-1', traceparent }),
  )
})

test('what is not there is absent, and what a caller made up is cut and printable', () => {
  expect(traceOf({ headers: ['accept', '*/*'] })).toEqual({})
  expect(traceOf({ headers: ['X-Request-Id', `a\u0007é${'x'.repeat(1_000)}`] })).toEqual({
    requestId: `a??${'x'.repeat(125)}`,
  })
  expect(traceOf({ headers: ['x-request-id', 'first', 'x-request-id', 'second'] })).toEqual({
    requestId: 'first',
  })
})
