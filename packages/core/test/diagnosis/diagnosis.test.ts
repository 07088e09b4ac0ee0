import { generateKeyPairSync } from 'node:crypto'
import { startDevDex } from '@broker/dev-dex'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJwt, readKeySet } from '../../src/diagnosis/index.ts'

test('a key set is read by the rules of the gate', async () => {
  await using dex = await startDevDex()
  const { keys } = JSON.parse(await (await fetch(dex.jwksUri)).text())
  const reading = readKeySet(JSON.stringify({ keys: [...keys, { kty: 'oct', kid: 'shared', k: 'AAAA' }] }))
  expect(reading?.usable).toEqual([{ kid: keys[0].kid, algorithm: 'RS256' }])
  expect(reading?.unusable).toEqual([{ kid: 'shared', problem: 'its type is not RSA or EC' }])
  expect(readKeySet('{"keys":[]}')).toBeUndefined()
  expect(readKeySet('<html>')).toBeUndefined()
})

test('a key whose kid is not a string has none', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  expect(readKeySet(JSON.stringify({ keys: [{ ...jwk, kid: { a: 1 } }] }))?.usable).toEqual([
    { kid: undefined, algorithm: 'EC' },
  ])
})

test('a signature is verified, and the reason is told when it is not', async () => {
  await using dex = await startDevDex()
  const reading = readKeySet(await (await fetch(dex.jwksUri)).text())
  const jwt = dex.signJwt({ sub: 'alice' })
  expect(await reading?.signatureProblem(jwt)).toBeUndefined()
  const [header, , signature] = jwt.split('.')
  const forged = [header, Buffer.from('{"sub":"mallory"}').toString('base64url'), signature].join('.')
  expect(await reading?.signatureProblem(forged)).toBe('its signature does not match')
  await dex.rotateKeys()
  expect(await reading?.signatureProblem(dex.signJwt({ sub: 'alice' }))).toBe('its kid is not in the key set')
  expect(await reading?.signatureProblem('hello')).toBe('it is not a compact JWS')
})

test('a JWT is decoded for people whatever its algorithm, and nothing else is', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (claims, alg) => {
      const header = { alg }
      expect(decodeJwt(`${part(header)}.${part(claims)}.`)).toEqual({
        header: JSON.parse(JSON.stringify(header)),
        claims: JSON.parse(JSON.stringify(claims)),
      })
    }),
  )
  fc.assert(
    fc.property(fc.string(), text => {
      expect(decodeJwt(text.replaceAll('.', ''))).toBeUndefined()
    }),
  )
})
