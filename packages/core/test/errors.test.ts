import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BrokerError, brokerErrorCodes } from '../src/shared/errors.ts'
import { TokenBroker } from '../src/token-broker.ts'
import { failureOf, startBrokerWithDex } from './broker-with-dex.ts'

/** As if the package were installed twice: the same module under another URL. */
async function anotherCopy(): Promise<typeof import('../src/shared/errors.ts')> {
  const url = `${new URL('../src/shared/errors.ts', import.meta.url).href}?another-copy`
  return import(/* @vite-ignore */ url)
}

describe('BrokerError', () => {
  test('is recognised across two installed copies of the package, in both directions', async () => {
    const other = await anotherCopy()
    expect(other.BrokerError).not.toBe(BrokerError)
    const theirs = new other.BrokerError('overloaded', 'too much')
    expect(theirs).not.toBeInstanceOf(BrokerError)
    expect(BrokerError.is(theirs)).toBe(true)
    expect(other.BrokerError.is(new BrokerError('overloaded', 'too much'))).toBe(true)
  })

  test.each([
    undefined,
    null,
    'BrokerError',
    42,
    {},
    new Error('x'),
    { name: 'BrokerError', code: 'forbidden' },
  ])('%s is none', value => {
    expect(BrokerError.is(value)).toBe(false)
  })

  test.each(Object.entries(brokerErrorCodes))('%s has the status of the table', (code, { status }) => {
    const error = new BrokerError(code as keyof typeof brokerErrorCodes, 'm')
    expect(error.status).toBe(status)
    expect(error).toBeInstanceOf(Error)
    expect(error.stack).toContain('errors.test')
  })

  test('has no cause when there is none', () => {
    expect('cause' in new BrokerError('forbidden', 'm')).toBe(false)
  })
})

test('no error and no log line holds the secret, whatever the secret and whatever goes wrong', async () => {
  await using running = await startBrokerWithDex()
  const secretText = fc.string({ unit: 'binary', minLength: 8, maxLength: 40 }).map(text => `s3cr3t${text}`)
  const fault = fc.constantFrom(
    undefined,
    { kind: 'html' as const },
    { kind: 'reset' as const },
    { kind: 'answer' as const, status: 400, body: '{"error":"invalid_client"}' },
    {
      kind: 'answer' as const,
      status: 200,
      body: '{"access_token":"s3cr3t"}'.replace('s3cr3t', 's3cr3t\\n'),
    },
  )
  await fc.assert(
    fc.asyncProperty(secretText, fault, async (clientSecret, fault) => {
      running.dex.setFault('token', fault)
      const failure = await failureOf(running.broker.getToken({ clientId: 'orders', clientSecret }))
      const shown = inspect(failure, { depth: 10, showHidden: true }) + JSON.stringify(failure)
      expect(shown).not.toContain('s3cr3t')
      expect(inspect(running.log.lines, { depth: 10 })).not.toContain('s3cr3t')
    }),
    { numRuns: 60 },
  )
})

test('a constructor that refuses a secret does not repeat it', () => {
  const clientSecret = `s3cr3t${'x'.repeat(5_000)}`
  const make = () =>
    new TokenBroker({ tokenEndpoint: 'https://dex.example.com/token', client: { clientSecret } })
  expect(make).toThrow(TypeError)
  expect(make).not.toThrow('s3cr3t')
})
