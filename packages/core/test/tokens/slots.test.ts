import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Applicant, Slots } from '../../src/tokens/dex/slots.ts'

const accepted = (client: string): Applicant => ({ client, isAccepted: true })
const stranger = (client: string): Applicant => ({ client, isAccepted: false })
const never = new AbortController().signal

/** What becomes of an applicant: `in`, `waits`, or the code of the refusal. */
class Line {
  readonly slots: Slots
  readonly entered: string[] = []

  constructor(max = 4, maxWaiting = 100, maxWaitMs = 60_000) {
    this.slots = new Slots({ max, maxWaiting, maxWaitMs })
  }

  async apply(applicant: Applicant, name = applicant.client, signal = never): Promise<string> {
    const turn = this.slots.enter(applicant, signal)
    if (turn === undefined) {
      this.entered.push(name)
      return 'in'
    }
    const refusal = await Promise.race([
      turn.then(
        () => {
          this.entered.push(name)
          return undefined
        },
        error => error.code ?? error,
      ),
      new Promise(resolve => setImmediate(resolve)),
    ])
    return typeof refusal === 'string' ? refusal : 'waits'
  }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

describe('the slots', () => {
  test('are for everybody while there is room, and strangers get half of them', async () => {
    const line = new Line(4)
    expect(await line.apply(stranger('a'))).toBe('in')
    expect(await line.apply(stranger('b'))).toBe('in')
    expect(await line.apply(stranger('c'))).toBe('waits')
    expect(await line.apply(accepted('known'))).toBe('in')
    expect(await line.apply(accepted('other'))).toBe('in')
    expect(await line.apply(accepted('third'))).toBe('waits')
  })

  test('go to accepted clients first, then to strangers in the order in which they came', async () => {
    const line = new Line(2)
    await line.apply(accepted('busy'))
    await line.apply(stranger('first'))
    for (const name of ['second', 'third']) expect(await line.apply(stranger(name))).toBe('waits')
    expect(await line.apply(accepted('known'))).toBe('waits')
    line.slots.leave(stranger('first'), 1)
    await settled()
    line.slots.leave(accepted('known'), 1)
    await settled()
    line.slots.leave(stranger('second'), 1)
    await settled()
    expect(line.entered).toEqual(['busy', 'first', 'known', 'second', 'third'])
  })

  test('are shared in turns by clients, so that one with many requests delays another by one of its own', async () => {
    const line = new Line(2)
    await line.apply(accepted('greedy'), 'greedy 0')
    await line.apply(accepted('other'), 'other 0')
    for (let index = 1; index <= 5; index++) await line.apply(accepted('greedy'), `greedy ${index}`)
    await line.apply(accepted('modest'))
    line.slots.leave(accepted('greedy'), 1)
    await settled()
    line.slots.leave(accepted('greedy'), 1)
    await settled()
    expect(line.entered.slice(2)).toEqual(['greedy 1', 'modest'])
  })

  test('one accepted client never has more than half, and one strange id never more than four', async () => {
    const line = new Line(16)
    const outcomes = async (applicant: Applicant, times: number) => {
      const seen: string[] = []
      for (let index = 0; index < times; index++) seen.push(await line.apply(applicant))
      return seen.filter(outcome => outcome === 'in').length
    }
    expect(await outcomes(accepted('greedy'), 12)).toBe(8)
    expect(await outcomes(stranger('guessed'), 12)).toBe(4)
    expect(await line.apply(stranger('honest'))).toBe('in')
  })

  test('refuse at once whoever could not be served in time, by the measured latency', async () => {
    const line = new Line(4, 1_000, 1_000)
    const { slots } = line
    await line.apply(stranger('a'))
    slots.leave(stranger('a'), 100)
    for (const name of ['b', 'c']) expect(await line.apply(stranger(name))).toBe('in')
    const outcomes: string[] = []
    for (let index = 0; index < 40; index++) outcomes.push(await line.apply(stranger(`later-${index}`)))
    // 800 ms are expected to be enough; 100 ms each in two slots, and 100 ms for the request itself.
    expect(outcomes.lastIndexOf('waits')).toBe(13)
    expect(outcomes.slice(14).every(outcome => outcome === 'overloaded')).toBe(true)
    // The accepted have slots that no stranger can take.
    expect(await line.apply(accepted('known'))).toBe('in')
  })

  test('have a bound on those who wait, of which strangers take half', async () => {
    const line = new Line(2, 10)
    await line.apply(stranger('a'))
    const outcomes: string[] = []
    for (let index = 0; index < 8; index++) outcomes.push(await line.apply(stranger(`s${index}`)))
    expect(outcomes.filter(outcome => outcome === 'waits')).toHaveLength(5)
    expect(await line.apply(accepted('known'))).toBe('in')
  })

  test('a wait ends with its own bound as overloaded, and with the reason of the signal', async () => {
    const line = new Line(2, 10, 30)
    await line.apply(stranger('a'))
    const waiting = line.slots.enter(stranger('b'), never)
    await expect(waiting).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 })
    const closing = new AbortController()
    const closed = line.slots.enter(stranger('c'), closing.signal)
    closing.abort(new Error('closed'))
    await expect(closed).rejects.toThrow('closed')
    line.slots.leave(stranger('a'), 1)
    expect(await line.apply(stranger('d'))).toBe('in')
  })

  test('whatever comes and goes, no bound is passed, and nobody waits while a slot is free for them', async () => {
    const step = fc.record({
      client: fc.nat(5),
      isAccepted: fc.boolean(),
      leaves: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 8 }),
        fc.array(step, { maxLength: 60 }),
        async (max, steps) => {
          const slots = new Slots({ max, maxWaiting: 1_000, maxWaitMs: 60_000 })
          const half = Math.floor(max / 2)
          const running: Applicant[] = []
          const waiting = new Set<Applicant>()
          for (const { client, isAccepted, leaves } of steps) {
            if (leaves) {
              const [applicant] = running.splice(0, 1)
              if (applicant !== undefined) slots.leave(applicant, 1)
            } else {
              const applicant = { client: `${isAccepted}${client}`, isAccepted }
              const turn = slots.enter(applicant, never)
              if (turn === undefined) running.push(applicant)
              else {
                waiting.add(applicant)
                void turn.then(
                  () => {
                    waiting.delete(applicant)
                    running.push(applicant)
                  },
                  () => waiting.delete(applicant),
                )
              }
            }
            await settled()
            const strangers = running.filter(each => !each.isAccepted)
            expect(running.length).toBeLessThanOrEqual(max)
            expect(strangers.length).toBeLessThanOrEqual(half)
            const of = (applicant: Applicant) =>
              running.filter(({ client }) => client === applicant.client).length
            for (const applicant of running)
              expect(of(applicant)).toBeLessThanOrEqual(applicant.isAccepted ? half : 4)
            for (const applicant of waiting) {
              const lane = applicant.isAccepted ? running.length < max : strangers.length < half
              const own = of(applicant) < (applicant.isAccepted ? half : Math.min(half, 4))
              expect(running.length < max && lane && own).toBe(false)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
