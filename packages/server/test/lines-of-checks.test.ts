import { readFileSync } from 'node:fs'
import { until } from '@broker/testing'
import { expect, test } from 'vitest'
import { type BrokerUnderTest, orders, startBroker } from './support/start-broker.ts'

interface Described {
  readonly file: string
  /** `always`, `of the check that began it`, or `never: ` and the reason. */
  readonly checkIds: string
}

const guide = new URL('../../../scripts/docs/log-guide.json', import.meta.url)
const { lines } = JSON.parse(readFileSync(guide, 'utf8')) as { lines: Readonly<Record<string, Described>> }

/** The entry of a line; `…` in its title stands for any text. */
function described(message: string): Described | undefined {
  return Object.entries(lines).find(([title]) => {
    const [start = '', ...rest] = title.split('…')
    return rest.length === 0
      ? message === title
      : message.startsWith(start) && message.endsWith(rest.at(-1) ?? '')
  })?.[1]
}

let nextId = 0

/** A check whose lines are found by its id. */
function check(broker: BrokerUnderTest, headers: Readonly<Record<string, string>>, target = '/check') {
  return broker.check({ target, headers: { ...headers, 'x-request-id': `check-${nextId++}` } })
}

test('the guide to the log says for each line whether it has the ids of a check, or why it cannot', () => {
  for (const [message, { checkIds, file }] of Object.entries(lines)) {
    expect(checkIds, message).toMatch(/^(?:always|of the check that began it|never: .{10,})$/)
    // Core writes with the ids whenever there is a check.
    if (/\/(?:check|gate)\//.test(file)) expect(checkIds, message).not.toMatch(/^never/)
  }
})

test('each line that checks caused has a request id, whatever went wrong', async () => {
  await using open = await startBroker({ ALLOWED_CLIENT_IDS: 'orders,billing' })
  const seen: BrokerUnderTest[] = [open]
  await check(open, orders)
  await check(open, {})
  await check(open, { ...orders, 'x-client-id': 'mallory' })
  await check(open, { ...orders, 'x-client-secret': 'wrong' })
  await check(open, { ...orders, 'x-client-secret': 'x'.repeat(5_000) })
  await check(open, orders, '/elsewhere')
  open.dex.setFault('token', { kind: 'answer', status: 503 })
  for (let n = 0; n < 4; n++) await check(open, { 'x-client-id': 'billing', 'x-client-secret': `b${n}` })

  await using gated = await startBroker(dex => ({
    STATIC_CLIENT_ID: 'orders',
    STATIC_CLIENT_SECRET: 'orders-secret',
    JWKS_URL: dex.jwksUri,
    ADMIN_ADDR: 'off',
  }))
  seen.push(gated)
  const exp = Math.floor(Date.now() / 1000) + 600
  const jwt = (claims: object) => ({
    authorization: `Bearer ${gated.dex.signJwt({ sub: 'alice', ...claims })}`,
  })
  gated.dex.setFault('keys', { kind: 'answer', status: 500 })
  await check(gated, jwt({ exp }))
  gated.dex.clearFaults()
  await until(async () => (await check(gated, jwt({ exp }))).status === 200, 'a key set')
  await check(gated, jwt({ exp: 1 }))
  await check(gated, {})

  const messages = new Set<string>()
  for (const line of seen.flatMap(({ log }) => log)) {
    const { checkIds } = described(line.msg) ?? {}
    if (checkIds === undefined || checkIds.startsWith('never')) {
      expect(line, line.msg).not.toHaveProperty('request_id')
    } else {
      expect(line['request_id'], line.msg).toMatch(/^check-\d+$/)
      messages.add(line.msg)
    }
  }
  for (const message of [
    'check',
    'token issued',
    'requests without client credentials refused',
    'requests refused: client id or scope not allowed',
    'token request rejected by Dex',
    'checks refused',
    'JWT refused',
    'JWTs refused',
    'requests without a JWT refused',
    'key set refreshed after failures',
  ]) {
    expect(messages).toContain(message)
  }
  for (const start of ['request outside /check', 'token request failed: ', 'key set refresh failed: ']) {
    expect([...messages]).toContainEqual(expect.stringMatching(`^${start}`))
  }
})
