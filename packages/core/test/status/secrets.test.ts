import { type InspectOptions, inspect } from 'node:util'
import { startRecordingServer } from '@broker/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BrokerStatus } from '../../src/index.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { ManualClock } from '../manual-clock.ts'

const everything: InspectOptions = {
  showHidden: true,
  getters: true,
  depth: Number.POSITIVE_INFINITY,
  maxArrayLength: null,
  maxStringLength: null,
}

/** A text that no other part of a status has by chance; with characters that forms, JSON and Base64 spell in another way. */
const secrets = fc.uint8Array({ minLength: 9, maxLength: 9 }).map(bytes => {
  return `s3+${Buffer.from(bytes).toString('hex')}%/"=`
})

/** All spellings in which a secret could appear. */
function spellings(secret: string): readonly string[] {
  const text = JSON.stringify(secret).slice(1, -1)
  const encoded = new URLSearchParams({ '': secret }).toString().slice(1)
  return [
    secret,
    text,
    encoded,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').slice(0, 24),
  ]
}

function expectNone(status: BrokerStatus, held: readonly string[]): void {
  const texts = [JSON.stringify(status), inspect(status, everything)]
  for (const text of texts) {
    for (const secret of held) {
      for (const spelling of spellings(secret)) expect(text.includes(spelling), text).toBe(false)
    }
  }
}

/** How Dex answers a token request; most of the answers repeat the request. */
const behaviours = ['issues', 'echoes an error', 'echoes a page', 'names an unknown error', 'closes'] as const

test('no secret, token, JWT, user or client of a caller is in a status, whatever Dex answers', async () => {
  await using dex = await startRecordingServer((_, response) => response.end())
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        ofDefault: secrets,
        ofNamed: secrets,
        ofFunction: secrets,
        ofCaller: secrets,
        callersId: secrets,
        token: fc.stringMatching(/^tk-[a-z0-9]{24}$/),
        password: fc.stringMatching(/^pw-[a-z0-9]{16}$/),
        behaviour: fc.constantFrom(...behaviours),
        functionFails: fc.boolean(),
      }),
      async ({ ofDefault, ofNamed, ofFunction, ofCaller, callersId, token, password, ...how }) => {
        dex.answer = ({ body, headers }, response) => {
          const echo = `${body} ${headers.authorization}`
          const json = (status: number, value: object) =>
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
          if (how.behaviour === 'issues') {
            return json(200, { access_token: token, token_type: 'bearer', expires_in: 300, id_token: token })
          }
          if (how.behaviour === 'echoes an error') {
            return json(401, { error: 'invalid_client', error_description: echo })
          }
          if (how.behaviour === 'names an unknown error') return json(400, { error: echo })
          if (how.behaviour === 'closes') return response.destroy()
          return response.writeHead(403, { 'content-type': 'text/html' }).end(`<p>${echo}</p>`)
        }
        const tokenEndpoint = new URL(`${dex.url}/token`)
        tokenEndpoint.search = `key=${password}`
        await using broker = new TokenBroker({
          tokenEndpoint: tokenEndpoint.href,
          clock: new ManualClock(),
          tokenHeaders: { 'x-id-token': 'id_token' },
          client: { clientId: 'reports', clientSecret: ofDefault, scope: 'groups' },
          clients: {
            billing: { clientId: 'billing', clientSecret: ofNamed },
            vault: {
              clientId: 'vault',
              clientSecret: async () => {
                if (how.functionFails) throw new Error(`the vault said ${ofFunction}`)
                return ofFunction
              },
            },
          },
          gate: { jwksUri: `${dex.url}/keys?key=${password}` },
        })
        const claims = Buffer.from(JSON.stringify({ sub: ofCaller, exp: 2_000_000_000 })).toString(
          'base64url',
        )
        const jwt = `${Buffer.from('{"alg":"ES256","kid":"a"}').toString('base64url')}.${claims}.${'A'.repeat(86)}`
        await Promise.allSettled([
          broker.getToken(),
          broker.getToken({ client: 'billing' }),
          broker.getToken({ client: 'vault' }),
          broker.getToken({ clientId: callersId, clientSecret: ofCaller }),
          broker.verify(jwt),
          broker.check({
            headers: ['x-client-id', callersId, 'x-client-secret', ofCaller, 'authorization', jwt],
          }),
        ])
        const held = [ofDefault, ofNamed, ofFunction, ofCaller, callersId, token, password, jwt, claims]
        expectNone(broker.status(), held)
      },
    ),
    { numRuns: 40 },
  )
})
