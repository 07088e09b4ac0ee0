import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { EnvoyConfig, ListenerParts } from '@broker/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CallersIssuer, callersAudience, startCallersIssuer } from '../harness/callers-issuer.ts'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, peer } from '../harness/dex.ts'
import type { RecordedRequest } from '../harness/recording-backend.ts'
import type { System } from '../harness/system.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const reports = { id: 'reports', secret: 'reports-secret', groups: ['reporters'] }
const archive = { id: 'archive', secret: 'archive-secret' }
const dex = { clients: [reports, archive, { ...peer, trustedPeers: [reports.id] }, caller] }

/** The context of a route, by its path. */
const contexts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/reports/': { client: 'reports', scope: 'openid groups' },
  '/orders/': { client: 'reports', audiences: peer.id },
  '/scope/': { scope: 'openid' },
  '/nobody/': { client: 'nobody' },
  '/closed/': { access: 'closed' },
}

/** A route for each of those paths, before the shipped one. */
function withRoutes({ connectionManager }: ListenerParts): void {
  const [virtualHost] = connectionManager['route_config'].virtual_hosts
  const [shipped] = virtualHost.routes
  const routes = Object.entries(contexts).map(([prefix, context]) => {
    const route: EnvoyConfig = { ...structuredClone(shipped), match: { prefix } }
    const filter = route['typed_per_filter_config']['envoy.filters.http.ext_authz']
    filter.check_settings.context_extensions = context
    return route
  })
  virtualHost.routes = [...routes, shipped]
}

describeWithEnvoy('the context of a route', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'route-context-'))
  let callers: CallersIssuer
  beforeAll(async () => {
    callers = await startCallersIssuer()
  })
  afterAll(async () => {
    await callers?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** A system with the named clients, and with rules if there are any. */
  function systemWith(
    name: string,
    environment: () => Readonly<Record<string, string>>,
    rules?: readonly object[],
  ): () => System {
    const clients = [reports, archive].map(({ id }) => ({
      name: id,
      clientId: id,
      clientSecret: { env: `${id.toUpperCase()}_SECRET` },
    }))
    const file = path.join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ clients, ...(rules && { rules }) }))
    const secrets = { REPORTS_SECRET: reports.secret, ARCHIVE_SECRET: archive.secret }
    const system = useSystem(() => ({
      dex,
      environment: { CONFIG_FILE: file, ...secrets, ...environment() },
      listeners: { routes: withRoutes },
    }))
    afterEach(() => system().backend.clear())
    return system
  }

  const gate = () => ({
    JWKS_URL: callers.jwksUri,
    JWT_ISSUER: callers.issuer,
    JWT_AUDIENCE: callersAudience,
    STATIC_CLIENT_ID: caller.id,
    STATIC_CLIENT_SECRET: caller.secret,
  })
  const withJwt = () => ({ authorization: `Bearer ${callers.jwt()}` })

  /** The request as the backend receives it; it must pass. */
  async function arrived(
    system: System,
    target: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<RecordedRequest | undefined> {
    const answer = await ask(system.port('routes'), { target, headers })
    expect(answer).toMatchObject({ status: 200 })
    return system.backend.requests.at(-1)
  }

  describe('with ALLOW_ROUTE_CLIENTS behind a gate', () => {
    const system = systemWith('gated', () => ({ ...gate(), ALLOW_ROUTE_CLIENTS: 'true' }))

    test('names the client and the scope of the token', async () => {
      const request = await arrived(system(), '/reports/7', withJwt())
      expect(request?.tokenAudience).toBe(reports.id)
      expect(request?.tokenClaims).toMatchObject({ groups: reports.groups })
      expect(request?.header('x-id-token')).toHaveLength(1)
    })

    test('names audiences', async () => {
      const request = await arrived(system(), '/orders/7', withJwt())
      expect(request?.tokenAudience?.split(' ').sort()).toEqual([peer.id, reports.id])
    })

    test('names a scope for the default client', async () => {
      const request = await arrived(system(), '/scope/7', withJwt())
      expect(request?.tokenAudience).toBe(caller.id)
      expect(request?.header('x-id-token')).toHaveLength(1)
    })

    test('without those keys leaves the default client', async () => {
      for (const target of ['/', '/closed/7']) {
        const request = await arrived(system(), target, withJwt())
        expect(request?.tokenAudience).toBe(caller.id)
        expect(request?.header('x-id-token')).toEqual([])
      }
    })

    test('gives nobody a token without a JWT', async () => {
      for (const target of ['/reports/7', '/orders/7', '/nobody/7']) {
        expect((await ask(system().port('routes'), { target })).status).toBe(401)
      }
      expect(system().backend.requests).toEqual([])
    })

    test('with an unknown client is an error of the operator: 500, and nothing reaches the backend', async () => {
      const answer = await ask(system().port('routes'), { target: '/nobody/7', headers: withJwt() })
      expect(answer.status).toBe(500)
      expect(JSON.parse(answer.body)).toEqual({ error: 'server_error', error_description: 'internal error' })
      expect(system().backend.requests).toEqual([])
      expect(system().broker.process.log).toContain('the context of the route chooses no usable client')
    })

    test('cannot be forged by headers of the client', async () => {
      const headers = { ...withJwt(), client: 'archive', 'x-client-id': 'archive', 'x-scope': 'email' }
      const request = await arrived(system(), '/reports/7', headers)
      expect(request?.tokenAudience).toBe(reports.id)
    })

    test('follows the route that Envoy takes, however the client spells the path', async () => {
      for (const [target, audience] of [
        ['/closed/../reports/7', reports.id],
        ['/reports/../scope/7', caller.id],
        ['//reports//7', reports.id],
        ['/reports%2e/7', caller.id],
      ] as const) {
        expect((await arrived(system(), target, withJwt()))?.tokenAudience).toBe(audience)
      }
    })
  })

  describe('with ALLOW_ROUTE_CLIENTS for everybody', () => {
    const system = systemWith('open', () => ({
      ALLOW_ROUTE_CLIENTS: 'true',
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
    }))

    test('names the client of a request without credentials', async () => {
      expect((await arrived(system(), '/reports/7', {}))?.tokenAudience).toBe(reports.id)
      expect((await ask(system().port('routes'), { target: '/' })).status).toBe(401)
      expect((await arrived(system(), '/', credentials))?.tokenAudience).toBe(caller.id)
    })
  })

  describe('without ALLOW_ROUTE_CLIENTS', () => {
    const system = systemWith('data', () => ({}))

    test('changes nothing', async () => {
      for (const target of ['/reports/7', '/nobody/7', '/']) {
        expect((await arrived(system(), target, credentials))?.tokenAudience).toBe(caller.id)
        expect((await ask(system().port('routes'), { target })).status).toBe(401)
      }
    })
  })

  describe('in rules', () => {
    const system = systemWith('rules', () => ({ ALLOW_UNAUTHENTICATED_CALLERS: 'true' }), [
      { name: 'closed', when: 'has(context.access) && context.access == "closed"', deny: 'closed' },
      { name: 'reports', when: 'has(context.client) && context.client == "reports"', client: 'archive' },
      { name: 'backend', when: 'has(context.route) && context.route == "backend"', client: 'caller' },
    ])

    test('decides about the request, and chooses no client by itself', async () => {
      expect((await arrived(system(), '/reports/7', {}))?.tokenAudience).toBe(archive.id)
      expect((await arrived(system(), '/', credentials))?.tokenAudience).toBe(caller.id)
      const closed = await ask(system().port('routes'), { target: '/closed/7', headers: credentials })
      expect(closed.status).toBe(403)
      expect(JSON.parse(closed.body)).toEqual({ error: 'forbidden', error_description: 'closed' })
    })
  })
})
