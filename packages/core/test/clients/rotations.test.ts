import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfiguredSecret } from '../../src/clients/configured-secret.ts'
import { SecretCalls } from '../../src/clients/secret-calls.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { hintText } from '../../src/shared/hint.ts'
import { LogSampler } from '../../src/shared/log-sampler.ts'
import { requestWithSecret } from '../../src/tokens/dex/request-with-secret.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

const owner = { client: undefined, option: 'client' }
const secret = fc.constantFrom('first', 'second', 'third', 'fourth')
const step = fc.oneof(
  fc.record({ do: fc.constant('dex' as const), secret }),
  fc.record({ do: fc.constant('store' as const), secret }),
  fc.record({ do: fc.constant('configure' as const), secret }),
  fc.record({ do: fc.constant('fail' as const) }),
  fc.record({ do: fc.constant('renew' as const) }),
  fc.record({ do: fc.constant('request' as const) }),
)

test('however both sides rotate: a token is lost only when Dex knows neither the stored nor the last accepted secret', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const clock = new ManualClock()
      const surroundings = {
        clock,
        logger: new RecordingLogger(),
        sampler: new LogSampler(clock),
        describeHint: hintText,
      }
      let inDex = 'first'
      let inStore: string | undefined = 'first'
      let lastAccepted: string | undefined
      const source = () => {
        if (inStore === undefined) throw new Error('sealed')
        return inStore
      }
      const configured = new ConfiguredSecret(surroundings, new SecretCalls(), owner, source)
      const isFunction = { now: true }

      async function request(): Promise<void> {
        const sent: string[] = []
        const send = async (value: string) => {
          sent.push(value)
          if (value === inDex) return value
          throw new BrokerError('client_misconfigured', 'refused', { oauthError: 'invalid_client' })
        }
        const work = async () => {
          await configured.prepare(1_000)
          return requestWithSecret(configured, send, {
            clientId: 'orders',
            signal: new AbortController().signal,
            timeoutMs: 1_000,
            onRefusal() {},
            waitForFunction: call => call,
          })
        }
        const outcome = await work().catch(() => undefined)
        expect(new Set(sent).size).toBeLessThanOrEqual(3)
        // One more when Dex no longer knows the secret that it accepted last.
        expect(sent.length - new Set(sent).size).toBeLessThanOrEqual(lastAccepted === inDex ? 0 : 1)
        const isStored = isFunction.now ? inStore === inDex : configured.current === inDex
        if (isStored || lastAccepted === inDex) expect(outcome).toBe(inDex)
        if (outcome !== undefined) lastAccepted = outcome
      }

      for (const each of steps) {
        // The pause of a function that failed is over.
        clock.advance(1_000)
        if (each.do === 'dex') inDex = each.secret
        else if (each.do === 'store') inStore = each.secret
        else if (each.do === 'fail') inStore = undefined
        else if (each.do === 'renew') configured.renew()
        else if (each.do === 'request') await request()
        else {
          isFunction.now = each.secret === 'first'
          configured.set(isFunction.now ? source : each.secret)
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
