import assert from 'node:assert/strict'
import { basicCredentials } from '../../../packages/core/src/check/basic-credentials.ts'
import { BrokerError } from '../../../packages/core/src/shared/errors.ts'
import { assertExpected } from '../expected-error.ts'
import { assertHidesSecret, secret } from '../never-shown.ts'
import type { Target } from '../target.ts'

const of = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

/** Credentials in `Authorization`. The reference is `atob` and the form decoding of `URLSearchParams`. */
export const basicCredentialsTarget: Target = {
  name: 'basic-credentials',
  seeds: [
    of(`id:${secret}`),
    of('a%3Ab:c+d'),
    of(':'),
    of('ü:%C3%BC'),
    `basic   ${of('x:y').slice(6)} `,
    'Basic',
    'Bearer x.y.z',
  ],
  dictionary: ['Basic ', 'Og==', 'OjoK', 'JTNB', '%3A', '=', '==', '+', '-_'],
  sources: ['packages/core/src/check/basic-credentials.ts'],
  judge(input) {
    const text = input.toString('latin1')
    let found: ReturnType<typeof basicCredentials>
    try {
      found = basicCredentials(text)
    } catch (error) {
      assertExpected(error instanceof BrokerError && error.code === 'invalid_request', error)
      assertHidesSecret(error.message)
      assert.equal(error.cause, undefined)
      return
    }
    const [, encoded] = /^basic +(\S*)$/is.exec(text.trim()) ?? []
    if (found === undefined) {
      assert.equal(encoded, undefined)
      return
    }
    const pair = Buffer.from(atob(encoded ?? ''), 'latin1').toString()
    const colon = pair.indexOf(':')
    assert.deepEqual(found, {
      clientId: formDecoded(pair.slice(0, colon)),
      clientSecret: formDecoded(pair.slice(colon + 1)),
    })
  },
}

function formDecoded(text: string): string {
  // Both separators of pairs are no part of an encoded value, and the own reader leaves them as they are.
  return new URLSearchParams([`v=${text.replaceAll('&', '%26')}`].join('')).get('v') ?? ''
}
