import { isJsonObject } from '../../shared/http/parse-json-object.ts'
import { maxSealedLength } from './seal-key.ts'
import type { ForgottenRecord, LeaseAnswer, StoredRecord } from './shared-token-store.ts'

// Everybody who can write to the store decides its answers: they are checked like any other input.

/** Checks a record that a store answered with; `undefined` when it is none, or not newer than a fence. */
export function checkedRecord(answer: unknown, newerThan: number): StoredRecord | undefined {
  if (!isJsonObject(answer)) return undefined
  const { value, fence, ageMs } = answer
  if (!(value instanceof Uint8Array) || value.length > maxSealedLength) return undefined
  return isNewFence(fence, newerThan) && isDuration(ageMs) ? { value, fence, ageMs } : undefined
}

/** Checks an answer to a request for a lease. */
export function checkedLease(answer: unknown, newerThan: number): LeaseAnswer | undefined {
  if (!isJsonObject(answer)) return undefined
  const { kind, fence, forMs } = answer
  if (kind === 'record') {
    const record = checkedRecord(answer['record'], newerThan)
    return record && { kind, record }
  }
  if (kind === 'leased') return isNewFence(fence, newerThan) ? { kind, fence } : undefined
  return kind === 'held' && isDuration(forMs) ? { kind, forMs } : undefined
}

/** Returns those forgotten records that are some. */
export function checkedForgotten(batch: unknown): readonly ForgottenRecord[] {
  if (!Array.isArray(batch)) return []
  return batch.filter(
    (item: unknown): item is ForgottenRecord =>
      isJsonObject(item) && typeof item['name'] === 'string' && isNewFence(item['fence'], 0),
  )
}

function isNewFence(value: unknown, newerThan: number): value is number {
  return Number.isSafeInteger(value) && (value as number) > newerThan
}

function isDuration(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0
}
