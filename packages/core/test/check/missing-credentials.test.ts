import { describe, expect, test } from 'vitest'
import { type BrokerWithDex, startBrokerWithDex } from '../broker-with-dex.ts'

const warningsOf = ({ log }: BrokerWithDex) => log.lines.filter(({ level }) => level === 'warn')

describe('requests without credentials', () => {
  test('are warned of: which headers were looked for, and what to look at', async () => {
    await using running = await startBrokerWithDex()
    await running.broker.check({ headers: [] })
    expect(warningsOf(running)).toMatchObject([
      {
        message: 'requests without client credentials refused',
        fields: {
          code: 'missing_credentials',
          count: 1,
          missing: ['x-client-id', 'x-client-secret'],
          hint: expect.stringMatching(
            /^forward x-client-id and x-client-secret to the broker.*credentialHeaders/,
          ),
        },
      },
    ])
  })

  test('are warned of by the part that is missing and the names that are configured', async () => {
    await using running = await startBrokerWithDex({
      client: { clientId: 'orders' },
      credentialHeaders: { clientSecret: 'X-Secret' },
    })
    const verdict = await running.broker.check({ headers: ['x-client-secret', 'orders-secret'] })
    expect(verdict).toMatchObject({
      status: 401,
      code: 'missing_credentials',
      body: expect.stringContaining('"x-secret is missing"'),
    })
    expect(warningsOf(running)).toMatchObject([{ fields: { missing: ['x-secret'] } }])
  })

  test('are warned of once in ten seconds, with a count, in the words of the way in', async () => {
    await using running = await startBrokerWithDex({
      describeHint: ({ problem, detail }) => `${problem}: does Envoy forward ${detail} (headersToExtAuth)?`,
    })
    for (let check = 0; check < 40; check++) await running.broker.check({ headers: [] })
    running.clock.advance(10_000)
    await running.broker.check({ headers: ['x-client-id', 'orders'] })
    expect(warningsOf(running).map(({ fields }) => [fields['count'], fields['hint']])).toEqual([
      [1, 'credentials_absent: does Envoy forward x-client-id and x-client-secret (headersToExtAuth)?'],
      [40, 'credentials_absent: does Envoy forward x-client-secret (headersToExtAuth)?'],
    ])
  })
})
