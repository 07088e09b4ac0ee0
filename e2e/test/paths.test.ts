import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ask, send } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { checkPathListeners, pathListeners } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'
import { hostileHosts, hostileTargets, oddTargets } from './hostile-targets.ts'

const allListeners = ['ingress', ...Object.keys(pathListeners)]
const withPrefix = allListeners.filter(name => !(name in checkPathListeners))

describeWithEnvoy('the path and the host of a request', () => {
  const system = useSystem(() => ({ listeners: pathListeners }))

  afterEach(() => {
    const strangers = system().backend.requests.filter(({ tokenAudience }) => tokenAudience !== caller.id)
    system().backend.clear()
    expect(strangers).toEqual([])
  })

  describe.each(allListeners)('finding 1, auth bypass by dot segments, listener: %s', listener => {
    test.each(hostileTargets)(
      '%s without credentials is refused and never reaches the backend',
      async target => {
        const answer = await send(system().port(listener), { target })
        expect(answer?.status).not.toBe(200)
        expect(system().backend.requests).toEqual([])
      },
    )

    test.each(hostileHosts)('Host "%s" without credentials is refused', async host => {
      for (const target of ['/healthz', '/orders']) {
        const answer = await send(system().port(listener), { target, headers: { host } })
        expect(answer?.status).not.toBe(200)
      }
      expect(system().backend.requests).toEqual([])
    })

    test('no path made of odd pieces gets in without credentials', async () => {
      await fc.assert(
        fc.asyncProperty(oddTargets, async target => {
          const answer = await send(system().port(listener), { target })
          expect(answer?.status).not.toBe(200)
          expect(system().backend.requests).toEqual([])
        }),
        { numRuns: 120 },
      )
    })

    test('what gets in with credentials has our token, whatever its path', async () => {
      for (const target of hostileTargets)
        await send(system().port(listener), { target, headers: credentials })
      await fc.assert(
        fc.asyncProperty(oddTargets, async target => {
          await send(system().port(listener), { target, headers: credentials })
        }),
        { numRuns: 60 },
      )
      for (const { tokenAudience } of system().backend.requests) expect(tokenAudience).toBe(caller.id)
    })
  })

  describe.each(withPrefix)('listener: %s', listener => {
    test.each(['/', '/orders', '/orders?a=1&b=%2F..%2F', '/orders/%C3%A9', '/check/orders', '/healthz'])(
      '%s with credentials reaches the backend as it was sent, with a token',
      async target => {
        const answer = await ask(system().port(listener), { target, headers: credentials })
        expect(answer.status).toBe(200)
        expect(system().backend.requests).toMatchObject([{ url: target, tokenAudience: caller.id }])
      },
    )
  })

  test('with normalisation the backend sees the path that was checked', async () => {
    const port = system().port()
    await ask(port, { target: '/orders/../billing/./%2e//7', headers: credentials })
    expect(system().backend.requests).toMatchObject([{ url: '/billing/7' }])
    expect(await ask(port, { target: '/orders%2f7', headers: credentials })).toMatchObject({ status: 307 })
  })

  test('without normalisation it arrives as the client sent it, with a token', async () => {
    const target = '/orders/..;/%2e%2e//./7%2f'
    const answer = await ask(system().port('paths as sent'), { target, headers: credentials })
    expect(answer.status).toBe(200)
    expect(system().backend.requests).toMatchObject([{ url: target, tokenAudience: caller.id }])
  })

  describe.each(Object.keys(checkPathListeners))(
    'a bootstrap without path_prefix, listener: %s',
    listener => {
      test.each(['/', '/orders', '/healthz', '/readyz', '/metrics', '/checked', '/orders/check'])(
        '%s is denied even with good credentials',
        async target => {
          const answer = await ask(system().port(listener), { target, headers: credentials })
          expect(answer.status).toBe(404)
          expect(system().backend.requests).toEqual([])
        },
      )
    },
  )

  test('a Host that frameworks choke on is a matter of the backend, and arrives there', async () => {
    for (const host of ['user@backend.example', 'backend.example:99999']) {
      const answer = await ask(system().port(), { headers: { ...credentials, host } })
      expect(answer.status).toBe(200)
      expect(system().backend.requests.at(-1)?.header('host')).toEqual([host])
    }
  })
})
