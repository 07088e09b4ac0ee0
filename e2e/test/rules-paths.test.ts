import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ask, send } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { pathListeners, withAllHeaders } from '../harness/listener-variants.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'
import { hostileTargets, misleadingHeaders, oddTargets } from './hostile-targets.ts'

const closed = ['/healthz', '/readyz', '/metrics']
const isClosed = closed.map(place => `request.path == "${place}" || request.path.startsWith("${place}/")`)
const rules = [
  { name: 'closed', when: isClosed.join(' || '), deny: 'closed' },
  {
    name: 'writes',
    when: 'request.path.startsWith("/orders") && request.method != "GET"',
    deny: 'read only',
  },
  { name: 'open', when: 'request.path.startsWith("/")', client: 'caller' },
]

const respellings: readonly ((text: string) => string)[] = [
  text => text.replace(/%[\da-f]{2}/gi, decodedByte),
  text => text.replaceAll('\\', '/'),
  text => text.replace(/;[^/]*/g, ''),
  text => text.replace(/\/{2,}/g, '/'),
  text => text.replace(/\0.*/s, ''),
  text => text.replace(/[?#].*/s, ''),
  text => resolved(text),
]

function decodedByte(text: string): string {
  return String.fromCharCode(Number.parseInt(text.slice(1), 16))
}

/** Resolves dot segments (RFC 3986 section 5.2.4). */
function resolved(text: string): string {
  const segments: string[] = []
  for (const segment of text.split('/').slice(1)) {
    if (segment === '..') segments.pop()
    else if (segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`
}

/** Every path that a backend could read in a target: decoded, resolved, cut and merged in any order. */
function readings(target: string): ReadonlySet<string> {
  // A query is a query for everybody; an encoded question mark is not.
  const known = new Set([target.replace(/\?.*/s, '')])
  for (const text of known) for (const respell of respellings) known.add(respell(text))
  return known
}

function isDenied(reading: string): boolean {
  return closed.some(place => reading === place || reading.startsWith(`${place}/`))
}

describeWithEnvoy('rules that read the path, behind Envoy', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'rules-paths-'))
  const file = path.join(scratch, 'rules.json')
  writeFileSync(file, JSON.stringify({ rules }))
  const system = useSystem(() => ({
    environment: { CONFIG_FILE: file, ALLOW_UNAUTHENTICATED_CALLERS: 'true' },
    listeners: { ...pathListeners, 'all headers checked': withAllHeaders },
  }))
  const listeners = ['ingress', ...Object.keys(pathListeners), 'all headers checked']
  afterEach(() => system().backend.clear())
  afterAll(() => rmSync(scratch, { recursive: true }))

  /** No backend may read a closed path in what arrived, and all of it has the caller's token. */
  function expectNothingClosed(): void {
    for (const { url, tokenAudience } of system().backend.requests) {
      expect({ url, tokenAudience, denied: [...readings(url)].filter(isDenied) }).toEqual({
        url,
        tokenAudience: caller.id,
        denied: [],
      })
    }
  }

  describe.each(listeners)('listener: %s', listener => {
    test.each(hostileTargets)('%s never reaches the backend as a spelling of a closed path', async target => {
      await send(system().port(listener), { target, headers: credentials })
      expectNothingClosed()
    })

    test('no path made of odd pieces reaches the backend as a spelling of a closed path', async () => {
      await fc.assert(
        fc.asyncProperty(oddTargets, async target => {
          await send(system().port(listener), { target, headers: credentials })
          expectNothingClosed()
        }),
        { numRuns: 120 },
      )
    })

    test.each(misleadingHeaders)('%s opens no closed path', async name => {
      for (const target of ['/healthz', '/metrics/', '/orders/../healthz']) {
        const headers = { ...credentials, [name]: '/orders' }
        const answer = await send(system().port(listener), { target, headers })
        expect(answer?.status).not.toBe(200)
      }
      expect(system().backend.requests).toEqual([])
    })

    test('a header with another method does not change the method that rules see', async () => {
      for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
        const request = { method: 'DELETE', target: '/orders/1', headers: { ...credentials, [name]: 'GET' } }
        expect((await send(system().port(listener), request))?.status).not.toBe(200)
      }
      expect(system().backend.requests).toEqual([])
    })
  })

  test.each(['ingress', 'paths as sent', 'all headers checked'])(
    'an open path has the token, and a closed one 403, listener: %s',
    async listener => {
      const port = system().port(listener)
      expect((await ask(port, { target: '/orders/1?a=b', headers: credentials })).status).toBe(200)
      expect(system().backend.requests).toMatchObject([{ url: '/orders/1?a=b', tokenAudience: caller.id }])
      for (const target of ['/healthz', '/%68ealthz', '/metrics/x?a=b']) {
        expect((await ask(port, { target, headers: credentials })).status).toBe(403)
      }
      expect(system().backend.requests).toHaveLength(1)
    },
  )
})
