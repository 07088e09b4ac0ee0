import { afterEach, describe, expect, test } from 'vitest'
import { ask, type ClientRequest } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { withHeaderMap } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const comma = { id: 'comma', secret: 'one,two' }
const dex = { clients: [caller, comma] }
const listeners = { 'header map': withHeaderMap }
const commaCredentials = { 'x-client-id': comma.id, 'x-client-secret': comma.secret }
const lines = Object.entries(credentials)

// Envoy Gateway and Istio have no setting for raw headers, and send a map, in which Envoy joins repeated headers with a comma.
describeWithEnvoy('headers that Envoy may have joined', () => {
  describe.each([false, true])('with ALLOW_JOINED_HEADERS=%s', allowed => {
    const system = useSystem(() => ({
      dex,
      listeners,
      environment: { ALLOW_JOINED_HEADERS: String(allowed) },
    }))
    afterEach(() => system().backend.clear())
    const status = async (headers: ClientRequest['headers'], listener = 'header map') =>
      (await ask(system().port(listener), { ...(headers && { headers }) })).status

    test('credentials without a comma pass, and no secret reaches the backend', async () => {
      expect(await status(credentials)).toBe(200)
      const [arrived] = system().backend.requests
      expect(arrived?.tokenAudience).toBe(caller.id)
      expect(arrived?.header('authorization')).toHaveLength(1)
      for (const name of Object.keys(credentials)) expect(arrived?.header(name)).toEqual([])
      expect(arrived?.rawHeaders.join('\n')).not.toContain(caller.secret)
    })

    test(`a comma in a secret is ${allowed ? 'accepted' : 'refused, because it may be two headers'}`, async () => {
      expect(await status(commaCredentials)).toBe(allowed ? 200 : 400)
      expect(system().backend.requests).toHaveLength(allowed ? 1 : 0)
    })

    test('two lines never pass', async () => {
      for (const [name, value] of lines.slice(0, 2)) {
        for (const second of [value, 'other', '']) {
          expect([400, 401]).toContain(await status([...lines, [name, second]]))
        }
      }
      expect(system().backend.requests).toEqual([])
    })

    test('with raw headers a comma passes, and two lines do not', async () => {
      expect(await status(commaCredentials, 'ingress')).toBe(200)
      for (const [name, value] of lines.slice(0, 2)) {
        expect(await status([...lines, [name, value]], 'ingress')).toBe(400)
      }
      expect(system().backend.requests).toHaveLength(1)
    })
  })
})
