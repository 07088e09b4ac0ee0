import { expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

test("callers' credentials that Dex rejects cost one line in ten seconds, with a count, however many there are", async () => {
  await using running = await startBrokerWithDex()
  const { broker, log, clock } = running
  for (let stranger = 0; stranger < 40; stranger++) {
    await failureOf(broker.getToken({ clientId: `stranger-${stranger}`, clientSecret: 'x' }))
  }
  clock.advance(10_000)
  await failureOf(broker.getToken({ clientId: 'last', clientSecret: 'x' }))
  expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
    { fields: { clientId: 'stranger-0', count: 1, code: 'token_request_rejected' } },
    { fields: { clientId: 'last', count: 40 } },
  ])
})

test('a line of them is short, whatever they are called', async () => {
  await using running = await startBrokerWithDex()
  const { broker, log } = running
  const clientId = `a\u001b[31m\n\u2028\u202e${'i'.repeat(200)}`
  await failureOf(broker.getToken({ clientId, clientSecret: 'x', scope: 's'.repeat(1_000) }))
  const [line] = log.lines.filter(({ level }) => level === 'warn')
  expect(line?.fields['clientId']).toMatch(/^a\ufffd\[31m\ufffd\ufffd\ufffdi+\.\.\.$/)
  expect(JSON.stringify(line).length).toBeLessThan(600)
})

test('the credentials of the configuration are not sampled: their line says that everybody is refused', async () => {
  await using running = await startBrokerWithDex({
    client: { ...orders, clientSecret: 'wrong' },
    negativeCacheTtlMs: 0,
  })
  for (const _ of ['first', 'second']) await failureOf(running.broker.getToken())
  expect(running.log.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
})
