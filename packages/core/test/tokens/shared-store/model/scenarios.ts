import { keyA, keyB } from '../replicas.ts'
import type { Scenario } from './scenario.ts'
import { lifeMs } from './scripted-dex.ts'

const replicas = { A: {}, B: {} }
const otherOrder = { A: { keys: [keyA, keyB] }, B: { keys: [keyB, keyA] } }
/** Both have the token. */
const both = [
  ['A', 'check'],
  ['B', 'check'],
] as const
/** Both have it, and its refresh is due. */
const bothDue = [...both, ['A', 0.85 * lifeMs]] as const
/** A has it for ten more seconds. */
const almostOver = [
  ['A', 'check'],
  ['A', lifeMs - 40_000],
] as const
const bothCheck = { A: ['check'], B: ['check'] } as const
const dropsAndChecks = { A: ['invalidate', 'check'], B: ['check'] } as const
const dropsAlone = { A: ['invalidate', 'check'] } as const

export const scenarios: Readonly<Record<string, Scenario>> = {
  'both miss at once': { replicas, actions: bothCheck, lives: 1 },
  'three miss at once': {
    replicas: { ...replicas, C: {} },
    actions: { ...bothCheck, C: ['check'] },
    lives: 1,
  },
  'both miss, and a message is slow': { replicas, actions: bothCheck, lives: 1, delays: 1 },
  'both miss, and a call of the store fails': { replicas, actions: bothCheck, lives: 1, faults: ['call'] },
  'both miss, and one of them dies': { replicas, actions: bothCheck, lives: 1, faults: ['kill A'] },
  'both miss, and the store loses everything': { replicas, actions: bothCheck, lives: 1, faults: ['flush'] },
  'both miss, and the lease ends early': { replicas, actions: bothCheck, lives: 1, faults: ['late'] },
  'both refresh ahead, and go on serving': {
    replicas,
    before: bothDue,
    actions: { A: ['check', 'check'], B: ['check', 'check'] },
    lives: 2,
  },
  'both refresh, and a call of the store fails': {
    replicas,
    before: bothDue,
    actions: bothCheck,
    lives: 2,
    faults: ['call'],
  },
  'both refresh, and one of them dies': {
    replicas,
    before: bothDue,
    actions: bothCheck,
    lives: 2,
    faults: ['kill A'],
  },
  'one drops the token while both use it': { replicas, before: both, actions: dropsAndChecks, lives: 2 },
  'one drops the token while the other refreshes it': {
    replicas,
    before: bothDue,
    actions: dropsAndChecks,
    lives: 3,
  },
  'both drop the token': {
    replicas,
    before: both,
    actions: { A: ['invalidate', 'check'], B: ['invalidate'] },
    lives: 2,
    keepsAll: true,
  },
  'one drops the token, and a call of the store fails': {
    replicas,
    before: both,
    actions: dropsAlone,
    lives: 2,
    faults: ['call'],
  },
  'one drops the token and dies': {
    replicas,
    before: both,
    actions: dropsAndChecks,
    lives: 2,
    faults: ['kill A'],
  },
  'one drops the token, and the store loses everything': {
    replicas,
    before: both,
    actions: dropsAndChecks,
    lives: 2,
    faults: ['flush'],
  },
  'one drops the token while its record is on the way': {
    replicas,
    actions: { A: ['check', 'invalidate'], B: ['check'] },
    lives: 2,
  },
  'Dex rejects the credentials of a token in use': {
    replicas: { A: {}, B: { options: { refreshAheadRatio: 1 } } },
    before: [...bothDue, ['Dex', 'rejects']],
    actions: bothCheck,
    lives: 3,
  },
  'one sees that the signing key is gone while both use the token': {
    replicas,
    before: [...both, ['Dex', 'rotates']],
    actions: { A: ['key is gone', 'check'], B: ['check'] },
    lives: 2,
  },
  'one sees that the signing key is gone while the other puts a token of it': {
    replicas,
    actions: { Dex: ['rotates'], A: ['key is gone', 'check'], B: ['check'] },
    lives: 2,
  },
  'the replicas have the sealing keys in another order': {
    replicas: otherOrder,
    actions: bothCheck,
    lives: 2,
    mayDiffer: true,
  },
  'one drops the token while the sealing keys are rotated': {
    replicas: otherOrder,
    before: both,
    actions: { A: ['invalidate'], B: ['check'] },
    lives: 2,
  },
  'the clock of a reader is ahead, and the token ends': {
    replicas: { A: {}, B: { aheadMs: 600_000 } },
    before: almostOver,
    actions: { B: ['check', 20_000, 'check'] },
    lives: 2,
  },
  'the clock of a reader is behind, and the token ends': {
    replicas: { A: {}, B: { aheadMs: -600_000 } },
    before: almostOver,
    actions: { B: ['check', 20_000, 'check'] },
    lives: 3,
  },
}
