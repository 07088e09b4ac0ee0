import { METHODS } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import type { HttpRequest } from './support/envoy-client.ts'
import { type GrpcBroker, startGrpcBroker } from './support/grpc-broker.ts'

let broker: GrpcBroker
beforeAll(async () => {
  broker = await startGrpcBroker()
})
afterAll(() => broker[Symbol.asyncDispose]())

/** The status over gRPC of a check with good credentials. */
async function status(request: HttpRequest): Promise<string> {
  const answer = await broker.envoy.check({ headers: orders, ...request })
  if (answer.http_response === 'ok_response') return 'OK'
  expect(answer.status?.code).toBeGreaterThan(0)
  return answer.denied_response?.status.code ?? ''
}

describe('a check over gRPC, like one over HTTP,', () => {
  test('passes with every method that HTTP has, except CONNECT', async () => {
    for (const method of METHODS.filter(each => each !== 'CONNECT')) {
      expect([method, await status({ method })]).toEqual([method, 'OK'])
      expect((await broker.check({ method, headers: orders })).status).toBe(200)
    }
  })

  test.each(['delete', 'Get', 'BREW', '', ' GET', 'GET ', 'G\0ET', 'PRI', '*'])(
    'is refused with 400 for the method "%s"',
    async method => {
      expect(await status({ method })).toBe('BadRequest')
    },
  )

  test('is refused with 403 for CONNECT', async () => {
    expect(await status({ method: 'CONNECT', path: '', host: 'backend.example:443' })).toBe('Forbidden')
  })

  test.each(['*', 'healthz', 'http://backend.example/', '\\', ' /', '\xff/'])(
    'is refused for the target "%s", which is not a path',
    async path => {
      expect(await status({ path })).toBe('BadRequest')
      const overHttp = await broker.check({ target: `/check${path}`, headers: orders })
      expect([400, 404]).toContain(overHttp.status)
    },
  )

  test('that is refused for its method counts as a check', async () => {
    const before = await refused()
    await status({ method: 'delete' })
    expect(await refused()).toBe(before + 1)
  })

  test('takes credentials with blanks around them', async () => {
    const lines = Object.entries(orders).map(([name, value]) => [name, ` \t${value}\t `] as const)
    expect(await status({ headers: {}, lines })).toBe('OK')
    const headers = Object.fromEntries(lines)
    expect(await status({ headers })).toBe('OK')
    expect((await broker.check({ headers })).status).toBe(200)
  })

  test('takes a header of another name for no credential, and knows upper case', async () => {
    const lines = Object.entries(orders)
    expect(
      await status({ headers: {}, lines: lines.map(([name, value]) => [name.toUpperCase(), value]) }),
    ).toBe('OK')
    for (const rename of [
      (name: string) => `${name} `,
      (name: string) => ` ${name}`,
      (name: string) => `${name}\0`,
      (name: string) => `:${name}`,
      (name: string) => name.replaceAll('-', '_'),
      () => '',
      (name: string) => name.repeat(2_000),
    ]) {
      const renamed = lines.map(([name, value]) => [rename(name), value] as const)
      expect(await status({ headers: {}, lines: renamed })).toBe('Unauthorized')
    }
  })
})

async function refused(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${broker.server.adminAddress?.port}/metrics`)).text()
  const line = /^dex_token_broker_checks_total\{[^}]*protocol="grpc"[^}]*\} (\d+)$/gm
  return [...text.matchAll(line)]
    .filter(([all]) => all.includes('outcome="invalid_request"'))
    .reduce((sum, [, count]) => sum + Number(count), 0)
}
