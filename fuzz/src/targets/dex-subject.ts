import assert from 'node:assert/strict'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { dexMachineOf } from '../../../packages/core/src/gate/dex-machine.ts'
import type { Target } from '../target.ts'

const sub = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64url')
const field = (tag: number, text: string) => [tag, text.length, ...Buffer.from(text)]

/** Claims by which Dex names a machine. The reference decodes the subject with a Protobuf library. */
export const dexSubjectTarget: Target = {
  name: 'dex-subject',
  isJson: true,
  seeds: [
    { sub: sub(field(0x0a, 'ci')), aud: 'ci' },
    { sub: sub([...field(0x0a, 'ci'), 0x12, 0]), aud: ['ci'] },
    { sub: sub([...field(0x0a, 'ci'), ...field(0x12, 'local')]), aud: 'ci' },
    { sub: sub(field(0x0a, 'ci')), aud: ['ci', 'orders'], azp: 'ci' },
    { sub: sub([0x0a, 0x80, 1, ...Buffer.from('c'.repeat(128))]), aud: 'c'.repeat(128) },
  ].map(each => JSON.stringify(each)),
  dictionary: [sub(field(0x0a, 'ci')), sub([0x12, 0]), 'ci', '"aud"', '"azp"', '"sub"', '\ud800', '=='],
  sources: ['packages/core/src/gate/dex-machine.ts'],
  judge(input) {
    let claims: unknown
    try {
      claims = JSON.parse(input.toString())
    } catch {
      return
    }
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return
    const { sub: subject, aud, azp } = claims as Record<string, unknown>
    const machine = dexMachineOf(claims as Record<string, unknown>)
    const ids = typeof subject === 'string' ? idsIn(subject) : undefined
    if (machine === undefined) return
    assert.deepEqual(ids, { userId: machine, connectorId: '' })
    assert.ok((Array.isArray(aud) && aud.length !== 1 ? [azp] : [aud].flat()).includes(machine))
  },
}

/** `undefined` for bytes that are not a message of two strings. */
function idsIn(subject: string): { readonly userId: string; readonly connectorId: string } | undefined {
  let userId = ''
  let connectorId = ''
  try {
    const reader = new BinaryReader(Buffer.from(subject, 'base64url'))
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag()
      if (number === 1) userId = reader.string()
      else if (number === 2) connectorId = reader.string()
      else reader.skip(type)
    }
    return { userId, connectorId }
  } catch {
    return undefined
  }
}
