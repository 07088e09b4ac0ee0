import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ManualClock } from '@broker/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileTokenStore } from '../../src/token/cache/file-token-store.ts'

const leaseMs = 1_000
const name = 'n'.repeat(43)
let folder: string
let clock: ManualClock
let warnings: string[]

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'broker-file-store-'))
  clock = new ManualClock()
  warnings = []
})
afterEach(() => {
  expect(warnings).toEqual([])
  rmSync(folder, { recursive: true })
})

const open = () => new FileTokenStore(folder, { warn: sentence => warnings.push(sentence), now: clock.wall })
const filesIn = () => readdirSync(folder)

async function take(store: FileTokenStore, of = name, newerThan = 0): Promise<number> {
  const answer = await store.lease(of, { leaseMs, newerThan })
  if (answer.kind !== 'leased') throw new Error(`not leased: ${answer.kind}`)
  // Files have the time of the system.
  const seconds = clock.wall() / 1_000
  utimesSync(path.join(folder, `${of}.lock`), seconds, seconds)
  return answer.fence
}

const value = Buffer.from('sealed')

describe('a file store', () => {
  test('keeps a record for every other store of the folder, until its time is over', async () => {
    const fence = await take(open())
    expect(await open().put(name, { value, fence, keepMs: 60_000 })).toBe(true)
    clock.advance(1_500)
    const record = await open().get(name, 0)
    expect(record).toMatchObject({ fence, ageMs: 1_500 })
    expect(Buffer.from(record?.value ?? '')).toEqual(value)
    expect(await open().get(name, fence)).toBeUndefined()
    clock.advance(60_000)
    expect(await open().get(name, 0)).toBeUndefined()
  })

  test('gives the lease to one, and to the next one after its release', async () => {
    const [one, other] = [open(), open()]
    const fence = await take(one)
    expect(await other.lease(name, { leaseMs, newerThan: 0 })).toEqual({ kind: 'held', forMs: leaseMs })
    await other.release(name, fence + 1)
    expect(await other.lease(name, { leaseMs, newerThan: 0 })).toMatchObject({ kind: 'held' })
    await one.release(name, fence)
    await take(other)
  })

  test('takes the lease from one who died, and not from one who extends it', async () => {
    const [one, other] = [open(), open()]
    const held = await take(one)
    clock.advance(800)
    expect(await one.lease(name, { leaseMs, newerThan: 0, held })).toEqual({ kind: 'leased', fence: held })
    clock.advance(800)
    expect(await other.lease(name, { leaseMs, newerThan: 0 })).toMatchObject({ kind: 'held' })
    clock.advance(201)
    expect(await take(other)).toBeGreaterThan(held)
    expect(await one.lease(name, { leaseMs, newerThan: 0, held })).toMatchObject({ kind: 'held' })
  })

  test('refuses a record that is older than the one that it has', async () => {
    const late = await take(open())
    clock.advance(leaseMs + 1)
    const fence = await take(open())
    await open().put(name, { value, fence, keepMs: 60_000 })
    expect(await open().put(name, { value: Buffer.from('late'), fence: late, keepMs: 60_000 })).toBe(false)
    expect(Buffer.from((await open().get(name, 0))?.value ?? '')).toEqual(value)
  })

  test('removes expired tokens and the files of commands that died, and no other file', async () => {
    const other = 'o'.repeat(43)
    await open().put(other, { value, fence: await take(open(), other), keepMs: 1_000 })
    await take(open(), 'l'.repeat(43))
    clock.advance(61_000)
    await open().put(name, { value, fence: await take(open()), keepMs: 60_000 })
    expect(filesIn()).toEqual([`${name}.token`])
  })

  test('forgets a record, and not a newer one', async () => {
    const fence = await take(open())
    await open().put(name, { value, fence, keepMs: 60_000 })
    await open().forget(name, fence - 1)
    expect(await open().get(name, 0)).toBeDefined()
    await open().forget(name, fence)
    expect(await open().get(name, 0)).toBeUndefined()
  })
})
