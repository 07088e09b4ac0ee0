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

/** Requests that begin at any time before and after Dex gets the new secret of a rotation. */
const requestsOfRotations = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })

test('requests at the same time lose no token, however they overlap with the change of the secret in Dex', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), requestsOfRotations, async (scheduler, rotations) => {
      const clock = new ManualClock()
      const surroundings = {
        clock,
        logger: new RecordingLogger(),
        sampler: new LogSampler(clock),
        describeHint: hintText,
      }
      const configured = new ConfiguredSecret(
        surroundings,
        new SecretCalls(),
        { client: undefined, option: 'client' },
        'secret 0',
      )
      let inDex = 'secret 0'
      const send = async (value: string) => {
        await scheduler.schedule(Promise.resolve(), 'the request reaches Dex')
        const isAccepted = value === inDex
        await scheduler.schedule(Promise.resolve(), 'the answer reaches the broker')
        if (!isAccepted)
          throw new BrokerError('client_misconfigured', 'refused', { oauthError: 'invalid_client' })
        return 'a token'
      }
      const request = () =>
        requestWithSecret(configured, send, {
          clientId: 'orders',
          signal: new AbortController().signal,
          timeoutMs: 1_000,
          onRefusal() {},
          waitForFunction: call => call,
        })
      const begun = async () => {
        await scheduler.schedule(Promise.resolve(), 'a request begins')
        return await request()
      }
      const rotateInDex = async (secret: string) => {
        await scheduler.schedule(Promise.resolve(), 'Dex gets the new secret')
        inDex = secret
        // Its success is how the broker learns the secret before the next rotation.
        return await request()
      }
      const all = async (requests: Promise<string>[]) => {
        const outcomes = Promise.all(requests)
        outcomes.catch(() => {})
        await scheduler.waitFor(outcomes)
        return await outcomes
      }
      await all([request()])
      for (const [index, count] of rotations.entries()) {
        const secret = `secret ${index + 1}`
        configured.set(secret)
        const requests = Array.from({ length: count }, begun)
        expect(await all([...requests, rotateInDex(secret)])).toHaveLength(count + 1)
      }
    }),
    { numRuns: 1_000 },
  )
})
