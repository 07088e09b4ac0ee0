import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Transport } from '../src/shared/http/transport.ts'
import { TokenBroker } from '../src/token-broker.ts'
import { failureOf, orders } from './broker-with-dex.ts'
import { CallersKey } from './gate/callers-issuer.ts'
import { ManualClock } from './manual-clock.ts'

/** A clock that a machine has which sleeps, and whose wall clock is set. */
class LivedClock extends ManualClock {
  happen({ kind, ms }: Happening): void {
    if (kind === 'time passes') this.advance(ms)
    // What a suspended machine sees: the wall clock goes on, the monotonic one stands still.
    else this.jumpWall(ms)
  }
}

interface Happening {
  readonly kind: 'time passes' | 'the wall clock is set' | 'the machine is suspended'
  readonly ms: number
}

const hourMs = 3_600_000
const marginMs = 30_000

/** Short and long ones, and those about the bounds that matter: of the safety margin, of key sets, and of a life. */
function durations(lifeMs: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 0, max: 2_000 }),
    fc.integer({ min: 0, max: 4 * hourMs }),
    fc.integer({ min: 0, max: 2_000 }).map(ms => Math.max(0, lifeMs - ms)),
    fc.constantFrom(1_000, marginMs, 59_000, 60_000, 570_000, 599_000, 600_000, hourMs, hourMs - marginMs),
  )
}

function happenings(lifeMs: number): fc.Arbitrary<Happening> {
  return fc.oneof(
    { weight: 3, arbitrary: durations(lifeMs).map(ms => ({ kind: 'time passes' as const, ms })) },
    durations(lifeMs).chain(ms =>
      fc.constantFrom(ms, -ms).map(jump => ({ kind: 'the wall clock is set' as const, ms: jump })),
    ),
    durations(lifeMs).map(ms => ({ kind: 'the machine is suspended' as const, ms })),
  )
}

/** Time goes on, then somebody asks, perhaps while the other side cannot answer. */
function lives(lifeMs: number) {
  return fc.array(fc.record({ happening: happenings(lifeMs), isDown: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  })
}

/** The `expires_in` that Dex says, and what happens meanwhile. */
function livesOfTokens(...allSeconds: number[]) {
  return fc
    .constantFrom(...allSeconds)
    .chain(seconds => fc.record({ seconds: fc.constant(seconds), life: lives(seconds * 1000) }))
}

/** The other side of the network, without a network: it answers at once, and counts. */
class Upstream {
  readonly #answer: () => unknown
  isDown = false
  requests = 0

  constructor(answer: () => unknown) {
    this.#answer = answer
  }

  readonly transport: Transport = async () => {
    this.requests++
    return {
      status: this.isDown ? 500 : 200,
      headers: new Headers(),
      body: new Blob([this.isDown ? 'down' : JSON.stringify(this.#answer())]).stream(),
    }
  }
}

/** Lets background requests to an `Upstream` come to their end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** What a token is worth by its own words: when it was made, and how long it lives. */
interface ModelToken {
  readonly wall: number
  readonly monotonic: number
  readonly seconds: number
}

function startTokens(clock: LivedClock, secondsOf: () => number) {
  const issued = new Map<string, ModelToken>()
  const dex = new Upstream(() => {
    const seconds = secondsOf()
    const name = `token-${issued.size}`
    issued.set(name, { wall: clock.wall(), monotonic: clock.monotonic(), seconds })
    return { access_token: name, token_type: 'bearer', expires_in: seconds }
  })
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.example.com/token',
    client: orders,
    tokenHeaders: { expires_in: 'x-expires-in' },
    transport: dex.transport,
    clock,
    random: () => 0.5,
    // The model knows of no line before Dex.
    maxConnections: 1_000,
  })
  const worthOf = (accessToken: string): ModelToken => {
    const token = issued.get(accessToken)
    if (token === undefined) throw new Error(`nobody issued ${accessToken}`)
    return token
  }
  return { broker, dex, worthOf }
}

/** What is left of a token by the clock that says less. */
function leftMs({ wall, monotonic, seconds }: ModelToken, clock: LivedClock): number {
  return seconds * 1000 - Math.max(clock.wall() - wall, clock.monotonic() - monotonic)
}

describe('whatever the two clocks do', () => {
  test('a token is used only before its end on both, and a stale one not in its last second', async () => {
    await fc.assert(
      fc.asyncProperty(livesOfTokens(1, 2, 20, 30, 31, 45, 60, 3_599, 86_399), async ({ life, seconds }) => {
        const clock = new LivedClock()
        const { broker, dex, worthOf } = startTokens(clock, () => seconds)
        try {
          for (const { happening, isDown } of life) {
            clock.happen(happening)
            dex.isDown = isDown
            const token = await broker.getToken().catch(() => undefined)
            if (token !== undefined) {
              const worth = worthOf(token.accessToken)
              const left = leftMs(worth, clock)
              expect(left).toBeGreaterThan(0)
              if (token.stale) expect(left).toBeGreaterThan(1_000)
              const isYoung = clock.monotonic() - worth.monotonic < seconds * 1000 - marginMs
              if (isYoung) expect(token.stale).toBe(false)
              const mapped = Number(token.headers['x-expires-in'])
              expect(mapped).toBe(Math.floor(left > seconds * 1000 ? seconds : left / 1000))
              expect(mapped).toBeGreaterThanOrEqual(0)
              expect(mapped).toBeLessThanOrEqual(seconds)
            }
            await settle()
          }
        } finally {
          await broker.close()
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a stale token is handed out exactly while more than a second is left on both', async () => {
    const left = fc.integer({ min: -1_000, max: 3_000 })
    await fc.assert(
      fc.asyncProperty(left, left, async (leftByMonotonic, leftByWall) => {
        const clock = new LivedClock()
        const { broker, dex } = startTokens(clock, () => 3_599)
        const token = await broker.getToken()
        clock.advance(3_599_000 - leftByMonotonic)
        clock.jumpWall(leftByMonotonic - leftByWall)
        dex.isDown = true
        const handedOut = await broker.getToken().catch(() => undefined)
        expect(handedOut).toBe(Math.min(leftByMonotonic, leftByWall) > 1_000 ? token : undefined)
        await broker.close()
      }),
      {
        numRuns: 300,
        examples: [
          [1_000, 2_000],
          [1_001, 1_001],
          [2_000, 1_000],
          [3_000, 999],
        ],
      },
    )
  })

  test('a token that is held on to never claims more than it had, nor less than nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happenings(3_599_000), { maxLength: 30 }), async life => {
        const clock = new LivedClock()
        const { broker } = startTokens(clock, () => 3_599)
        const token = await broker.getToken()
        for (const happening of life) {
          clock.happen(happening)
          const mapped = Number(token.headers['x-expires-in'])
          expect(mapped).toBeGreaterThanOrEqual(0)
          expect(mapped).toBeLessThanOrEqual(3_599)
        }
        await broker.close()
      }),
    )
  })

  test('a hundred who ask for a token after a jump cost one request at most', async () => {
    await fc.assert(
      fc.asyncProperty(livesOfTokens(1, 60, 3_599, 86_399), async ({ life, seconds }) => {
        const clock = new LivedClock()
        const { broker, dex } = startTokens(clock, () => seconds)
        try {
          for (const { happening } of life) {
            clock.happen(happening)
            const before = dex.requests
            await Promise.all(Array.from({ length: 100 }, () => broker.getToken()))
            await settle()
            await Promise.all(Array.from({ length: 100 }, () => broker.getToken()))
            await settle()
            expect(dex.requests - before).toBeLessThanOrEqual(1)
          }
        } finally {
          await broker.close()
        }
      }),
      { numRuns: 50 },
    )
  })

  test('a hundred keys cost one request each at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happenings(3_599_000), { minLength: 1, maxLength: 8 }), async life => {
        const clock = new LivedClock()
        const { broker, dex } = startTokens(clock, () => 3_599)
        const askForAll = () =>
          Promise.all(
            Array.from({ length: 300 }, (_, index) => broker.getToken({ scope: `s${index % 100}` })),
          )
        for (const happening of life) {
          clock.happen(happening)
          const before = dex.requests
          await askForAll()
          await settle()
          await askForAll()
          expect(dex.requests - before).toBeLessThanOrEqual(100)
        }
        await broker.close()
      }),
      { numRuns: 20 },
    )
  })

  test('a wall clock that is set back costs nothing: a token that is good stays in use', async () => {
    const clock = new LivedClock()
    const { broker, dex } = startTokens(clock, () => 3_599)
    const token = await broker.getToken()
    clock.jumpWall(-10 * hourMs)
    clock.advance(3_569_000 * 0.75 - 1)
    expect(await broker.getToken()).toBe(token)
    expect(dex.requests).toBe(1)
    await broker.close()
  })

  test('keys are used only while they are younger than their bound on both', async () => {
    const key = new CallersKey('ES256')
    await fc.assert(
      fc.asyncProperty(lives(hourMs), async life => {
        const clock = new LivedClock()
        let loaded = { wall: 0, monotonic: 0 }
        const issuer = new Upstream(() => {
          loaded = { wall: clock.wall(), monotonic: clock.monotonic() }
          return { keys: [key.jwk()] }
        })
        const broker = new TokenBroker({
          tokenEndpoint: 'https://dex.example.com/token',
          gate: { jwksUri: 'https://issuer.example.com/keys' },
          transport: issuer.transport,
          clock,
        })
        try {
          for (const { happening, isDown } of life) {
            clock.happen(happening)
            issuer.isDown = isDown
            const before = issuer.requests
            // A JWT of its own each time, so that nothing but a key lets it pass.
            const jwt = key.jwt({
              exp: clock.wall() / 1000 + 60,
              jti: `${clock.wall()} ${clock.monotonic()}`,
            })
            const checks = Array.from({ length: 20 }, () => broker.verify(jwt))
            const outcomes = await Promise.allSettled(checks)
            const age = Math.max(clock.wall() - loaded.wall, clock.monotonic() - loaded.monotonic)
            const isAccepted = outcomes.every(({ status }) => status === 'fulfilled')
            expect(isAccepted).toBe(age < hourMs)
            if (!isAccepted) expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
            await settle()
            expect(issuer.requests - before).toBeLessThanOrEqual(1)
          }
        } finally {
          await broker.close()
        }
      }),
      { numRuns: 100 },
    )
  })
})
