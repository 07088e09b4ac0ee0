import assert from 'node:assert/strict'
import { SealKeys } from '../../../packages/core/src/tokens/shared-store/seal-keys.ts'
import {
  checkedForgotten,
  checkedLease,
  checkedRecord,
} from '../../../packages/core/src/tokens/shared-store/store-answers.ts'
import {
  readTokenRecord,
  type TokenRecord,
  tokenRecordText,
} from '../../../packages/core/src/tokens/shared-store/token-record.ts'
import type { Target } from '../target.ts'

const record: TokenRecord = {
  accessToken: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln',
  expiresIn: 3_600,
  answeredAt: Date.UTC(2030, 0, 1),
  fields: { id_token: 'a.b.c' },
  requestedAt: Date.UTC(2030, 0, 1) - 100,
}
const keys = new SealKeys([Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 2).toString('base64')])
const former = new SealKeys([Buffer.alloc(32, 2).toString('base64')])
const [name = ''] = keys.namesOf('a client')
const sealed = [keys.seal(name, 7, record), former.seal(name, 7, record)]

/** Sealed records. Nothing opens but what was sealed, byte for byte. */
export const sealedRecordTarget: Target = {
  name: 'sealed-record',
  seeds: sealed,
  maxBytes: 300_000,
  sources: [
    'packages/core/src/tokens/shared-store/seal-key.ts',
    'packages/core/src/tokens/shared-store/seal-keys.ts',
  ],
  judge(input) {
    const isOriginal = sealed.some(each => input.equals(each))
    assert.equal(keys.open(name, 7, input) !== undefined, isOriginal)
    for (const [otherName, fence] of [
      ['other', 7],
      [name, 8],
      [name, 0],
      [name, 7.5],
    ] as const) {
      assert.equal(keys.open(otherName, fence, input), undefined)
    }
  },
}

/** The content of a record. What is read writes the same record again, and fits into headers. */
export const recordTarget: Target = {
  name: 'record',
  isJson: true,
  seeds: [
    tokenRecordText(record),
    tokenRecordText({ ...record, expiresIn: undefined, answeredAt: undefined, fields: {} }),
  ],
  dictionary: ['"fields":{', '"accessToken":', '"expiresIn":', '"answeredAt":null', '"__proto__":"x"'],
  maxBytes: 70_000,
  sources: [
    'packages/core/src/tokens/shared-store/token-record.ts',
    'packages/core/src/tokens/dex/token-bounds.ts',
  ],
  judge(input) {
    const read = readTokenRecord(input.toString())
    if (read === undefined) return
    assert.deepEqual(readTokenRecord(tokenRecordText(read)), read)
    const headers = new Headers({ authorization: `Bearer ${read.accessToken}` })
    for (const value of Object.values(read.fields)) headers.set('x-field', value)
    assert.ok(
      Math.abs(read.expiresIn ?? 0) <= Number.MAX_SAFE_INTEGER &&
        !Number.isNaN(new Date(read.requestedAt).getTime()),
    )
  },
}

/** Answers of a store. Only fences that are newer, and durations, come through. */
export const storeAnswerTarget: Target = {
  name: 'store-answer',
  isJson: true,
  seeds: [
    { value: 'bytes', fence: 7, ageMs: 12 },
    { kind: 'record', record: { value: 'bytes', fence: 7, ageMs: 12 } },
    { kind: 'leased', fence: 9 },
    { kind: 'held', forMs: 100 },
    [{ name: 'a', fence: 3 }, { name: 'b', fence: 0 }, null],
  ].map(each => JSON.stringify(each)),
  dictionary: ['"kind":"record"', '"kind":"held"', '"bytes"', '"fence":', '"ageMs":', '1e400'],
  sources: ['packages/core/src/tokens/shared-store/store-answers.ts'],
  judge(input) {
    let answer: unknown
    try {
      // A driver returns bytes where JSON has this word.
      answer = JSON.parse(input.toString(), (_key, value) => (value === 'bytes' ? new Uint8Array(40) : value))
    } catch {
      return
    }
    const lease = checkedLease(answer, 5)
    for (const found of [checkedRecord(answer, 5), lease?.kind === 'record' ? lease.record : undefined]) {
      if (found !== undefined)
        assert.ok(found.fence > 5 && found.ageMs >= 0 && found.value instanceof Uint8Array)
    }
    if (lease?.kind === 'leased') assert.ok(Number.isSafeInteger(lease.fence) && lease.fence > 5)
    if (lease?.kind === 'held') assert.ok(lease.forMs >= 0 && Number.isFinite(lease.forMs))
    for (const each of checkedForgotten(answer)) assert.ok(each.fence > 0 && typeof each.name === 'string')
  },
}
