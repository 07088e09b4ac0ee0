import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { faultsOf } from './faults-of.ts'
import { ConfigFolder } from './file/config-folder.ts'

const clients = 'clients: [{ name: reports, clientId: reports, clientSecret: { env: A } }]\n'
const rules = "rules: [{ name: all, when: 'true', client: reports }]\n"
const gate = { DEX_ISSUER: 'https://dex.example.com', JWT_AUDIENCE: 'orders' }

function withFile<Result>(
  yaml: string,
  env: NodeJS.ProcessEnv,
  use: (env: NodeJS.ProcessEnv) => Result,
): Result {
  using folder = new ConfigFolder(yaml)
  return use({ A: 'secret', ...env, CONFIG_FILE: folder.file })
}

describe('ALLOW_ROUTE_CLIENTS', () => {
  it('is off by default, and an option of the broker', () => {
    expect(loadConfig({}).broker.routeClients).toBe(false)
    const open = { ALLOW_ROUTE_CLIENTS: 'true', ALLOW_UNAUTHENTICATED_CALLERS: 'true' }
    expect(loadConfig(open).broker.routeClients).toBe(true)
  })

  it('needs a gate, unless every caller may have a token', () => {
    const on = { ALLOW_ROUTE_CLIENTS: 'true' }
    expect(withFile(clients, on, faultsOf)).toEqual([
      expect.stringMatching(/^ALLOW_ROUTE_CLIENTS: hands out tokens .*ALLOW_UNAUTHENTICATED_CALLERS=true$/),
    ])
    expect(withFile(clients, { ...on, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }, faultsOf)).toEqual([])
    expect(withFile(clients, { ...on, ...gate }, faultsOf)).toEqual([])
    const issuers = 'issuers: [{ name: dex, issuer: https://dex.example.com, audiences: [orders] }]\n'
    expect(withFile(issuers + clients, on, faultsOf)).toEqual([])
  })

  it.each([':8082', '0.0.0.0:8082', '[::]:8082', '10.0.0.1:8082', 'broker.internal:8082'])(
    'causes a warning without a gate on %s, which others reach',
    address => {
      const open = {
        ALLOW_ROUTE_CLIENTS: 'true',
        ALLOW_UNAUTHENTICATED_CALLERS: 'true',
        GRPC_LISTEN_ADDR: address,
      }
      const warningsOf = (env: NodeJS.ProcessEnv) => loadConfig(env).warnings
      expect(withFile(clients, open, warningsOf)).toEqual([
        expect.stringMatching(/^ALLOW_ROUTE_CLIENTS is true without a JWT gate, and GRPC_LISTEN_ADDR /),
      ])
      expect(withFile(clients, { ...open, ...gate }, warningsOf)).toEqual([])
      const issuers = 'issuers: [{ name: dex, issuer: https://dex.example.com, audiences: [orders] }]\n'
      expect(withFile(issuers + clients, open, warningsOf)).toEqual([])
      for (const loopback of ['127.0.0.1:8082', 'localhost:8082', '[::1]:8082', '127.1.2.3:0']) {
        expect(withFile(clients, { ...open, GRPC_LISTEN_ADDR: loopback }, warningsOf)).toEqual([])
      }
      const { GRPC_LISTEN_ADDR: _, ...off } = open
      expect(withFile(clients, off, warningsOf)).toEqual([])
    },
  )

  it('stands in for STATIC_CLIENT_ID behind a gate', () => {
    expect(withFile(clients, gate, faultsOf)).toEqual([
      expect.stringMatching(/^STATIC_CLIENT_ID: must be set/),
    ])
  })

  it('makes use of every client of the file, and of none when rules decide', () => {
    const on = { ALLOW_ROUTE_CLIENTS: 'true', ALLOW_UNAUTHENTICATED_CALLERS: 'true' }
    const warningsOf = (env: NodeJS.ProcessEnv) => loadConfig(env).warnings
    expect(withFile(clients, on, warningsOf)).toEqual([])
    expect(withFile(clients, {}, warningsOf)).toEqual([expect.stringContaining('no rule uses the client')])
    expect(withFile(clients + rules, on, warningsOf)).toEqual([
      expect.stringMatching(/^ALLOW_ROUTE_CLIENTS has no effect/),
    ])
  })
})

it('ALLOW_JOINED_HEADERS is an option of the broker', () => {
  expect(loadConfig({}).broker.credentialHeaders?.allowJoined).toBe(false)
  expect(loadConfig({ ALLOW_JOINED_HEADERS: 'true' }).broker.credentialHeaders?.allowJoined).toBe(true)
})
