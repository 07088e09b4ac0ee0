import { chartToolNeed, freePort } from '@broker/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { failedCheck } from '../harness/protocol.ts'
import { caller, ownClient, peer, type Surroundings, startSurroundings } from '../helm/running/scene.ts'
import { describeWithEnvoyGateway } from './envoy-gateway.ts'
import { type ProtectedRoute, type ProtectedRoutes, startProtectedRoutes } from './protected-routes.ts'
import { chartRelease, manifestsRelease, type Release } from './releases.ts'

type Values = Readonly<Record<string, unknown>>

const byPath = { name: 'administration', when: 'request.path.startsWith("/admin")', deny: 'closed' }
/** Over gRPC only: Envoy sends no context over HTTP, and the chart refuses such a rule there. */
const byContext = {
  name: 'context',
  when: 'request.path == "/context" && "route" in context',
  client: 'orders',
  set: { 'x-caller': 'context.route' },
}

/** These rules before the example's. */
const withRules =
  (...more: readonly object[]) =>
  ({ config, ...values }: Values): Values => {
    const { rules, ...rest } = config as { readonly rules: readonly object[] }
    return { ...values, config: { ...rest, rules: [...more, ...rules] } }
  }

/** A route that chooses the audience of its token. */
const routeClients = chartRelease('gate', 'grpc', {
  suffix: '-route-clients',
  more: ({ securityPolicy }) => ({
    securityPolicy: {
      ...(securityPolicy as object),
      contextExtensions: { client: 'default', audiences: peer.id },
    },
    extraEnv: [{ name: 'ALLOW_ROUTE_CLIENTS', value: 'true' }],
  }),
})

const releases: readonly Release[] = [
  chartRelease('header', 'http'),
  chartRelease('header', 'grpc'),
  chartRelease('gate', 'http'),
  chartRelease('gate', 'grpc'),
  chartRelease('rules', 'http', { more: withRules(byPath) }),
  chartRelease('rules', 'grpc', { more: withRules(byPath, byContext) }),
  manifestsRelease('header', 'security-policy-1.8.yaml'),
  manifestsRelease('header', 'security-policy-1.7.yaml'),
  manifestsRelease('header', 'security-policy-grpc.yaml'),
  manifestsRelease('gate', 'security-policy-1.8.yaml'),
  manifestsRelease('gate', 'security-policy-1.7.yaml'),
  manifestsRelease('gate', 'security-policy-grpc.yaml'),
]

describeWithEnvoyGateway(
  'Envoy Gateway',
  () => {
    let scene: Surroundings
    let routes: ProtectedRoutes
    beforeAll(async () => {
      scene = await startSurroundings()
      routes = await startProtectedRoutes({ releases: [...releases, routeClients], scene })
    }, 240_000)
    afterEach(() => scene.backend.clear())
    afterAll(async () => {
      await routes?.[Symbol.asyncDispose]()
      await scene?.[Symbol.asyncDispose]()
    }, 60_000)

    const ownCredentials = { 'x-client-id': caller.id, 'x-client-secret': caller.secret }
    /** Headers of a caller that passes. */
    const passing = (mode: Release['mode']): Readonly<Record<string, string>> =>
      mode === 'header' ? ownCredentials : { authorization: `Bearer ${scene.jwt}` }

    describe.each(releases)('with $name', release => {
      const { mode, protocol, statusOnError = 503 } = release
      let route: ProtectedRoute
      beforeAll(() => {
        route = routes.route(release)
      })
      const audiences = () => scene.backend.requests.map(({ tokenAudience }) => tokenAudience)

      test('puts a token of Dex in place of the credentials', async () => {
        const forged = { 'x-scope': 'openid', 'x-client-secret': 'forged', 'x-client-id': 'forged' }
        const headers = mode === 'header' ? { ...ownCredentials, 'x-scope': 'openid' } : forged
        const answer = await route.ask({ headers: { ...headers, ...passing(mode) } })
        expect(answer).toMatchObject({ status: 200, headers: { 'x-backend': 'yes' } })
        expect(audiences()).toEqual([mode === 'header' ? caller.id : ownClient.id])
        const [{ rawHeaders } = { rawHeaders: [] }] = scene.backend.requests
        const names = rawHeaders.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase())
        expect(names.filter(name => /^x-(client|scope)/.test(name))).toEqual([])
      })

      test('gives the caller the refusal of the broker', async () => {
        const answer = await route.ask({})
        expect(answer.status).toBe(401)
        expect(answer.headers).toHaveProperty('www-authenticate')
        expect(JSON.parse(answer.body)).toHaveProperty('error')
        expect(scene.backend.requests).toEqual([])
      })

      test('never passes a token that the caller made', async () => {
        const forged = { authorization: 'Bearer forged' }
        if (mode === 'header') {
          expect(await route.ask({ headers: { ...ownCredentials, ...forged } })).toMatchObject({
            status: 200,
          })
          expect(audiences()).toEqual([caller.id])
          return
        }
        expect(await route.ask({ headers: forged })).toMatchObject({ status: 401 })
        expect(scene.backend.requests).toEqual([])
      })

      test('lets no path past the check', async () => {
        const targets = ['/healthz', '/readyz', '/check', '/a/../healthz', '/%2e%2e/healthz', '//healthz']
        for (const target of targets) {
          expect(await route.ask({ target }), target).toMatchObject({ status: 401 })
        }
        expect(scene.backend.requests).toEqual([])
        expect(await route.ask({ target: '/orders/1?a=b', headers: passing(mode) })).toMatchObject({
          status: 200,
        })
        expect(scene.backend.requests.map(({ url }) => url)).toEqual(['/orders/1?a=b'])
      })

      test('refuses a credential that came twice', async () => {
        const twice = Object.entries(passing(mode))
        const answer = await route.ask({ headers: [...twice, ...twice] })
        // Over HTTP Envoy joins the lines: then they are wrong credentials.
        expect(answer.status).toBe(protocol === 'grpc' ? 400 : 401)
        expect(scene.backend.requests).toEqual([])
      })

      if (mode === 'rules')
        test('lets rules decide by group, path and route, and set headers', async () => {
          const refused = { status: 403, body: expect.stringContaining('forbidden') }
          const others = { authorization: `Bearer ${scene.otherJwt}` }
          expect(await route.ask({ headers: others })).toMatchObject(refused)
          expect(await route.ask({ target: '/admin', headers: passing(mode) })).toMatchObject(refused)
          expect(scene.backend.requests).toEqual([])
          await route.ask({ headers: { ...passing(mode), 'x-caller': 'forged' } })
          await route.ask({ target: '/context', headers: passing(mode) })
          const callers = scene.backend.requests.map(({ header }) => header('x-caller'))
          expect(callers).toEqual([[scene.subject], [protocol === 'grpc' ? 'my-api' : scene.subject]])
        })

      test('refuses while the broker is gone, and while Dex is', async () => {
        const { broker } = route
        broker.process.signal('SIGKILL')
        await broker.process.ended()
        const whileGone = failedCheck(await route.ask({ headers: passing(mode) }))
        expect(whileGone).toMatchObject({ status: statusOnError, error: undefined })
        expect(scene.backend.requests).toEqual([])
        const nobody = `http://127.0.0.1:${await freePort()}/token`
        await route.restart({ DEX_TOKEN_URL: nobody })
        const whileDexIsGone = failedCheck(await route.ask({ headers: passing(mode) }))
        expect(whileDexIsGone).toMatchObject(
          protocol === 'grpc'
            ? { status: 503, error: 'token_endpoint_unavailable', retryAfter: expect.stringMatching(/^\d+$/) }
            : { status: statusOnError, error: undefined, retryAfter: undefined },
        )
        expect(scene.backend.requests).toEqual([])
      })
    })

    test('over gRPC, a route chooses the audience of its token', async () => {
      const answer = await routes.route(routeClients).ask({ headers: passing('gate') })
      expect(answer).toMatchObject({ status: 200 })
      expect(scene.backend.requests[0]?.tokenAudience).toContain(peer.id)
    })
  },
  { ...chartToolNeed('HELM_BIN'), ...chartToolNeed('KUSTOMIZE_BIN') },
)
