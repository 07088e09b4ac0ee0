import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { http2Statuses } from '../harness/http2-client.ts'
import {
  pathListeners,
  withHeaderMap,
  withoutNormalisation,
  withRawPath,
} from '../harness/listener-variants.ts'
import { protocol } from '../harness/protocol.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const rules = [
  { name: 'closed host', when: 'request.host == "closed.example.com"', deny: 'closed' },
  { name: 'read only', when: 'request.method == "DELETE"', deny: 'read only' },
  {
    name: 'closed',
    when: 'request.path == "/closed" || request.path.startsWith("/closed/")',
    deny: 'closed',
  },
  { name: 'open', when: 'true', client: 'caller' },
]
const listeners = {
  ...pathListeners,
  'raw path, paths as sent': (parts: Parameters<typeof withRawPath>[0]) => {
    withRawPath(parts)
    withoutNormalisation(parts)
  },
  ...(protocol === 'grpc' && { 'header map': withHeaderMap }),
}
const names = ['ingress', ...Object.keys(listeners)].filter(name => !name.startsWith('no prefix'))

// HTTP/2 carries methods and bytes that Envoy refuses over HTTP/1.1.
describeWithEnvoy('rules for a client that speaks HTTP/2', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'rules-http2-'))
  const file = path.join(scratch, 'rules.json')
  writeFileSync(file, JSON.stringify({ rules }))
  const system = useSystem(() => ({
    environment: { CONFIG_FILE: file, ALLOW_UNAUTHENTICATED_CALLERS: 'true' },
    listeners,
  }))
  afterEach(() => system().backend.clear())
  afterAll(() => rmSync(scratch, { recursive: true }))
  const askedOfBackend = () => system().envoy.stat('cluster.backend.upstream_rq_total')
  const statuses = (listener: string, requests: readonly Readonly<Record<string, string>>[]) =>
    http2Statuses(
      system().port(listener),
      requests.map(request => ({ ':path': '/orders', ...credentials, ...request })),
    )

  describe.each(names)('listener: %s', listener => {
    test('a method in lower case does not pass the rule on the method', async () => {
      const methods = ['DELETE', 'delete', 'Delete', 'BREW'].map(method => ({ ':method': method }))
      const before = await askedOfBackend()
      expect(await statuses(listener, methods)).toEqual([403, 400, 400, 400])
      // The backend would answer 400 too.
      expect(await askedOfBackend()).toBe(before)
      expect(system().backend.requests).toEqual([])
    })

    test('a path with bytes that are not UTF-8 passes no rule on the path', async () => {
      const targets = ['/closed\xff', '/\xffclosed', '/closed\xc0\x80', '/closed\xff/x', '/orders\xff?a=b']
      const answers = await statuses(
        listener,
        targets.map(target => ({ ':path': target })),
      )
      expect(answers).toEqual(targets.map(() => 403))
      expect(system().backend.requests).toEqual([])
    })

    test('a path with an escaped exclamation mark passes', async () => {
      expect(await statuses(listener, [{ ':path': '/orders/%21' }, { ':path': '/orders?a=!' }])).toEqual([
        200, 200,
      ])
      for (const { tokenAudience } of system().backend.requests) expect(tokenAudience).toBe(caller.id)
    })

    test('an exclamation mark passes only where Envoy sends every byte of the path', async () => {
      const isExact = protocol === 'grpc' && listener.startsWith('raw path')
      expect(await statuses(listener, [{ ':path': '/orders!' }])).toEqual([isExact ? 200 : 403])
    })

    test('two hosts pass no rule on the host', async () => {
      const [closed, open] = ['closed.example.com', 'open.example.com']
      const of = async (...hosts: string[]) => {
        const lines = hosts.map(host => ['host', host] as const)
        const headers = [...lines, ...Object.entries(credentials)]
        return (await ask(system().port(listener), { target: '/orders', headers })).status
      }
      expect(await of(closed)).toBe(403)
      expect(await of(open, closed)).toBe(403)
      expect(await of(closed, open)).toBe(403)
      expect(system().backend.requests).toEqual([])
    })
  })
})
