import { isJsonObject, parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { fitsHeaders, isAccessToken, tokenFields } from '../dex/token-bounds.ts'
import type { TokenResponse } from '../dex/token-response.ts'

/** A token response as a shared store keeps it, with what a reader needs to derive its life again. */
export interface TokenRecord extends TokenResponse {
  /** The wall clock of the replica that requested it, before its request was sent, in milliseconds since the Unix epoch. */
  readonly requestedAt: number
}

/** The largest distance from the Unix epoch that a `Date` can have, in milliseconds. */
const maxTimeMs = 8.64e15

/** Returns the text of a record. An `expires_in` beyond the safe integers becomes the last one: no life is that long. */
export function tokenRecordText({
  accessToken,
  expiresIn,
  answeredAt,
  fields,
  requestedAt,
}: TokenRecord): string {
  return JSON.stringify({ accessToken, expiresIn: clamped(expiresIn), answeredAt, fields, requestedAt })
}

/** Reads a record by the rules for a token response; `undefined` for text that breaks one of them. */
export function readTokenRecord(text: string): TokenRecord | undefined {
  const record = parseJsonObject(text)
  if (record === undefined) return undefined
  const { accessToken, expiresIn, answeredAt, requestedAt } = record
  const fields = readFields(record['fields'])
  if (fields === undefined || !isAccessToken(accessToken)) return undefined
  if (!fitsHeaders(accessToken, Object.values(fields))) return undefined
  if (expiresIn !== undefined && !isWithin(expiresIn, Number.MAX_SAFE_INTEGER)) return undefined
  if (answeredAt !== undefined && !isWithin(answeredAt, maxTimeMs)) return undefined
  if (!isWithin(requestedAt, maxTimeMs)) return undefined
  return { accessToken, expiresIn, answeredAt, fields, requestedAt }
}

function readFields(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value)) return undefined
  const names = Object.keys(value)
  const fields = tokenFields(value, names)
  return names.every(name => fields[name] === value[name]) ? fields : undefined
}

/** JSON has no infinity, and Dex can answer with one: `1e999`. */
function clamped(expiresIn: number | undefined): number | undefined {
  if (expiresIn === undefined) return undefined
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(expiresIn, Number.MAX_SAFE_INTEGER))
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= max
}
