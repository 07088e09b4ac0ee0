import { createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SealKeys } from '../../../src/tokens/shared-store/seal-keys.ts'
import { anyFence, anyName, anyRecord, newKey, recordOf } from './made-up-records.ts'

const key = newKey()
const keys = new SealKeys([key])
const [name = ''] = keys.namesOf('fields')
const fence = 1_893_456_000_000_000

describe('a sealed record', () => {
  test('opens as it was, whatever it is', () => {
    fc.assert(
      fc.property(anyName, anyFence, anyRecord, (anyName, anyFence, record) => {
        const opened = keys.open(anyName, anyFence, keys.seal(anyName, anyFence, record))
        expect(opened).toEqual(record)
        expect(Object.keys(opened?.fields ?? {})).toEqual(Object.keys(record.fields))
      }),
      { numRuns: 1_000 },
    )
  })

  test('of the longest token response opens, also when JSON escapes each of its characters', () => {
    const half = 30 * 1024
    const record = recordOf(0, { accessToken: '"'.repeat(half), fields: { id_token: '\\'.repeat(half) } })
    expect(keys.open(name, fence, keys.seal(name, fence, record))).toEqual(record)
  })

  test('opens under no other name, no other fence and no other key', () => {
    const stranger = new SealKeys([newKey()])
    fc.assert(
      fc.property(anyName, anyName, anyFence, anyFence, anyRecord, (one, other, before, after, record) => {
        fc.pre(one !== other && before !== after)
        const sealed = keys.seal(one, before, record)
        expect(keys.open(other, before, sealed)).toBeUndefined()
        expect(keys.open(one, after, sealed)).toBeUndefined()
        expect(stranger.open(one, before, sealed)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('does not open with any bit flipped', () => {
    const sealed = keys.seal(name, fence, recordOf(200))
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Uint8Array.from(sealed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(keys.open(name, fence, flipped)).toBeUndefined()
    }
  })

  test('does not open when it is cut at either end, or longer', () => {
    const sealed = keys.seal(name, fence, recordOf(200))
    for (let length = 0; length < sealed.length; length++) {
      expect(keys.open(name, fence, sealed.subarray(0, length))).toBeUndefined()
      expect(keys.open(name, fence, sealed.subarray(sealed.length - length))).toBeUndefined()
    }
    expect(keys.open(name, fence, Buffer.concat([sealed, Buffer.of(0)]))).toBeUndefined()
  })

  test('does not open with a fence that is none', () => {
    const sealed = keys.seal(name, fence, recordOf(200))
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -fence]) {
      expect(keys.open(name, wrong, sealed)).toBeUndefined()
    }
  })

  test('has nothing of its content, its name or its key in plain text', () => {
    const record = recordOf(900, { fields: { id_token: 'subject-of-the-token' } })
    const sealed = Buffer.from(keys.seal(name, fence, record))
    const secrets = [record.accessToken, 'subject-of-the-token', 'id_token', 'accessToken', name, key]
    for (const secret of secrets) {
      for (let start = 0; start + 6 <= secret.length; start++) {
        expect(sealed.includes(secret.slice(start, start + 6))).toBe(false)
      }
    }
    expect(sealed.includes(Buffer.from(key, 'base64').subarray(0, 4))).toBe(false)
  })

  test('is never the same twice, nor is its salt or its nonce', () => {
    const record = recordOf(10)
    const all = Array.from({ length: 1_000 }, () => Buffer.from(keys.seal(name, fence, record)))
    const different = (from: number, to: number) =>
      new Set(all.map(sealed => sealed.toString('hex', from, to))).size
    expect([different(0, 200), different(9, 25), different(25, 37)]).toEqual([1_000, 1_000, 1_000])
  })

  test('is AES-256-GCM with a key of its own by HKDF, as the primitives of Node open it', () => {
    const record = recordOf(900)
    const sealed = Buffer.from(keys.seal(name, fence, record))
    const secret = Buffer.from(key, 'base64')
    const derived = (purpose: string, salt: Buffer, length: number) =>
      Buffer.from(hkdfSync('sha256', secret, salt, `dex-token-broker shared store ${purpose}`, length))
    const keyId = derived('key id', Buffer.alloc(0), 8)
    expect(sealed[0]).toBe(1)
    expect(sealed.subarray(1, 9)).toEqual(keyId)
    const recordKey = derived('record', sealed.subarray(9, 25), 32)
    const opening = createDecipheriv('aes-256-gcm', recordKey, sealed.subarray(25, 37))
    const order = Buffer.alloc(8)
    order.writeBigUInt64BE(BigInt(fence))
    opening.setAAD(Buffer.concat([Buffer.of(1), keyId, order, Buffer.from(name)]))
    opening.setAuthTag(sealed.subarray(-16))
    const text = opening.update(sealed.subarray(37, -16), undefined, 'utf8') + opening.final('utf8')
    expect(JSON.parse(text)).toEqual(record)
  })
})

describe('bytes that are no sealed record', () => {
  test('open as nothing, and never throw', () => {
    const known = Buffer.from(keys.seal(name, fence, recordOf(50))).subarray(0, 9)
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      // With the version and the key id of a known key.
      fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.concat([known, bytes])),
    )
    fc.assert(
      fc.property(anyName, fc.oneof(anyFence, fc.double()), any, (anyName, anyFence, bytes) => {
        expect(keys.open(anyName, anyFence, bytes)).toBeUndefined()
      }),
      // As long as it may take on any machine, and as many as that allows.
      { numRuns: 1_000_000, interruptAfterTimeLimit: 1_500, markInterruptAsFailure: false },
    )
  })

  test('open as nothing when they are too long, even when a key has sealed them', () => {
    const record = recordOf(50, { fields: { ['name'.repeat(64 * 1024)]: 'value' } })
    expect(keys.open(name, fence, keys.seal(name, fence, record))).toBeUndefined()
  })
})

describe('several keys', () => {
  const [older, newer] = [newKey(), newKey()]

  test('seal with the first, and open what any of them sealed', () => {
    const before = new SealKeys([older])
    const during = new SealKeys([newer, older])
    const after = new SealKeys([newer])
    const record = recordOf(900)
    expect(during.open(name, fence, before.seal(name, fence, record))).toEqual(record)
    const sealed = during.seal(name, fence, record)
    expect(after.open(name, fence, sealed)).toEqual(record)
    expect(before.open(name, fence, sealed)).toBeUndefined()
  })

  test('give a name each, the first key its name first', () => {
    const names = (...list: string[]) => new SealKeys(list).namesOf('fields')
    expect(names(newer, older)).toEqual([...names(newer), ...names(older)])
    expect(new Set(names(newer, older)).size).toBe(2)
  })
})

describe('the name of a record', () => {
  test('is an HMAC of its fields by a derived key, in base64url', () => {
    const namingKey = hkdfSync(
      'sha256',
      Buffer.from(key, 'base64'),
      Buffer.alloc(0),
      'dex-token-broker shared store names',
      32,
    )
    const expected = createHmac('sha256', Buffer.from(namingKey)).update('fields').digest('base64url')
    expect(keys.namesOf('fields')).toEqual([expected])
    expect(expected).toMatch(/^[\w-]{43}$/)
  })

  test('is the same for the same fields, and another for others', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        const [first, second] = [keys.namesOf(one), new SealKeys([key]).namesOf(other)]
        expect(first[0] === second[0]).toBe(one === other)
      }),
    )
  })
})

describe('the text of a key', () => {
  test('is base64 or base64url, with or without padding: all of them are the same key', () => {
    const bytes = Buffer.from(`${'+/'.repeat(21)}8=`, 'base64')
    const base64 = bytes.toString('base64')
    const texts = [
      base64,
      base64.replace('=', ''),
      bytes.toString('base64url'),
      `${bytes.toString('base64url')}=`,
    ]
    expect(new Set(texts).size).toBe(4)
    const sealed = new SealKeys([base64]).seal(name, fence, recordOf(10))
    for (const text of texts) expect(new SealKeys([text]).open(name, fence, sealed)).toBeDefined()
  })

  test.each([
    ['a key of 31 bytes', randomBytes(31).toString('base64')],
    ['a key of 33 bytes', randomBytes(33).toString('base64')],
    ['hexadecimal', randomBytes(32).toString('hex')],
    ['an empty text', ''],
    ['a line with its end', `${newKey()}\n`],
    ['a blank before it', ` ${newKey()}`],
    ['two keys', `${newKey()}${newKey()}`],
    ['too much padding', `${newKey()}=`],
    ['two alphabets at once', `-/${'A'.repeat(41)}`],
    ['bits beyond the last byte', `${'A'.repeat(42)}B=`],
    ['a password', 'correct horse battery staple, 43 characters'],
  ])('is refused without a word of it: %s', (_, wrong) => {
    const attempt = () => new SealKeys([key, wrong])
    expect(attempt).toThrow(new TypeError('sharedStore.keys[1] must be 32 bytes in base64'))
  })

  test('is refused when it is no text', () => {
    const wrong = [undefined, null, 5, randomBytes(32), [key]] as unknown as string[]
    for (const value of wrong) {
      expect(() => new SealKeys([value])).toThrow('sharedStore.keys[0] must be 32 bytes in base64')
    }
  })

  test('is refused when it is there twice, in whatever form, and when there is none', () => {
    const twice = [key, newKey(), key.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')]
    expect(() => new SealKeys(twice)).toThrow(
      new TypeError('sharedStore.keys[2] must differ from sharedStore.keys[0]'),
    )
    expect(() => new SealKeys([])).toThrow(new TypeError('sharedStore.keys must not be empty'))
  })

  test('is shown by nothing that shows the keys', () => {
    const secret = Buffer.from(key, 'base64')
    const shown = inspect(keys, { showHidden: true, depth: 10, getters: true }) + JSON.stringify(keys)
    for (const form of [
      key,
      secret.toString('hex'),
      secret.toString('base64url'),
      inspect(secret).slice(8, 30),
    ]) {
      expect(shown).not.toContain(form)
    }
  })
})
