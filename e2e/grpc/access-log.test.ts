import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallersIssuer, callersAudience, startCallersIssuer } from '../harness/callers-issuer.ts'
import { ask } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import type { System } from '../harness/system.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

interface AccessLogLine {
  readonly method: string
  readonly path: string
  readonly status: number
  /** The facts of the broker; Envoy adds how long the check took. */
  readonly check: Readonly<Record<string, unknown>> | null
}

/** The line of Envoy's access log about a path; waits for it. */
function lineAbout({ envoy }: System, target: string): Promise<AccessLogLine> {
  return envoy.process.until(`a line about ${target}`, () => {
    const lines = envoy.process.log.split('\n').filter(line => line.startsWith('{') && line.endsWith('}'))
    return lines.map(line => JSON.parse(line) as AccessLogLine).find(line => line.path === target)
  })
}

/** The facts in a line, without Envoy's own measurement. */
const factsOf = ({ check }: AccessLogLine) => {
  const { ext_authz_duration: _, ...facts } = check ?? {}
  return facts
}

const seconds = expect.toSatisfy((value: unknown) => {
  const left = Number(value) - Date.now() / 1000
  return left > 60 && left < 100_000
}, 'seconds since 1970, when the token expires')

describeWithEnvoy('the access log of Envoy', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'access-log-'))
  const file = path.join(folder, 'rules.json')
  let callers: CallersIssuer
  beforeAll(async () => {
    callers = await startCallersIssuer()
  })
  afterAll(async () => {
    await callers?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** Nothing of a token or a secret, in either log. */
  function expectNoSecrets({ envoy, broker }: System): void {
    for (const { log } of [envoy.process, broker.process]) {
      expect(log).not.toContain('eyJ')
      expect(log).not.toContain(caller.secret)
    }
  }

  describe("with the caller's credentials", () => {
    const system = useSystem()

    test('has the client, the expiry and whether the token was cached', async () => {
      for (const [target, cache] of [
        ['/first', 'miss'],
        ['/second', 'hit'],
      ] as const) {
        expect((await ask(system().port(), { target, headers: credentials })).status).toBe(200)
        const line = await lineAbout(system(), target)
        expect(line).toMatchObject({ method: 'GET', status: 200 })
        expect(factsOf(line)).toEqual({ client: 'caller', cache, expires_at: seconds })
      }
      expectNoSecrets(system())
    })

    test('has what is known of a refused request', async () => {
      const wrong = { ...credentials, 'x-client-secret': 'wrong' }
      expect((await ask(system().port(), { target: '/wrong', headers: wrong })).status).toBe(401)
      const line = await lineAbout(system(), '/wrong')
      expect(line).toMatchObject({ status: 401 })
      expect(factsOf(line)).toEqual({ client: 'caller', cache: 'miss' })
    })

    test('has nothing of a request without credentials', async () => {
      expect((await ask(system().port(), { target: '/nothing' })).status).toBe(401)
      expect(factsOf(await lineAbout(system(), '/nothing'))).toEqual({})
    })
  })

  describe('with rules', () => {
    const system = useSystem(() => {
      const { issuer, jwksUri } = callers
      writeFileSync(
        file,
        JSON.stringify({
          issuers: [{ name: 'staff', issuer, jwksUri, audiences: [callersAudience] }],
          clients: [{ name: 'reports', clientId: caller.id, clientSecret: { env: 'REPORTS_SECRET' } }],
          rules: [
            { name: 'suspended', when: 'caller.subject == "mallory"', deny: 'suspended' },
            { name: 'people', when: 'caller.issuer == "staff"', client: 'reports' },
          ],
        }),
      )
      return { environment: { CONFIG_FILE: file, REPORTS_SECRET: caller.secret } }
    })
    const askAs = (sub: string, target: string) =>
      ask(system().port(), { target, headers: { authorization: `Bearer ${callers.jwt({ sub })}` } })

    test('has the rule, the issuer and the subject', async () => {
      expect((await askAs('alice', '/alice')).status).toBe(200)
      expect(factsOf(await lineAbout(system(), '/alice'))).toEqual({
        rule: 'people',
        client: 'reports',
        issuer: 'staff',
        subject: 'alice',
        cache: 'miss',
        expires_at: seconds,
      })
      expectNoSecrets(system())
    })

    test('says who was refused, and by which rule', async () => {
      expect((await askAs('mallory', '/mallory')).status).toBe(403)
      expect(factsOf(await lineAbout(system(), '/mallory'))).toEqual({
        rule: 'suspended',
        issuer: 'staff',
        subject: 'mallory',
      })
    })
  })
})
