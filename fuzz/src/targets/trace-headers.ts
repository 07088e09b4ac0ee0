import assert from 'node:assert/strict'
import { parentOf } from '../../../packages/server/src/tracing/parent-of.ts'
import type { Target } from '../target.ts'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Header lines with `traceparent` and `tracestate`. What is passed on can be sent as a header, and has the ids of the caller. */
export const traceHeadersTarget: Target = {
  name: 'trace-headers',
  seeds: [
    `traceparent: ${parent}`,
    `Traceparent: 01${parent.slice(2)}-more\ntracestate: a=b,c@d=e f`,
    `tracestate: x=y\ntraceparent: ${parent}\ntracestate: z=1`,
  ],
  dictionary: ['traceparent: ', 'tracestate: ', '\n', '-', '00-', 'ff-', '=', ',', '0'.repeat(32), 'a=b,'],
  maxBytes: 65_536,
  sources: ['packages/server/src/tracing/parent-of.ts'],
  judge(input) {
    const text = input.toString('latin1')
    const lines = text.split('\n').flatMap(line => {
      const at = line.indexOf(': ')
      return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)]
    })
    const context = parentOf(lines)
    if (context === undefined) return
    const { traceId, spanId, traceFlags, traceState } = context
    assert.match(traceId, /^(?!0+$)[\da-f]{32}$/)
    assert.match(spanId, /^(?!0+$)[\da-f]{16}$/)
    assert.ok(traceFlags === 0 || traceFlags === 1)
    assert.ok(text.includes(`-${traceId}-${spanId}-`))
    if (traceState === undefined) return
    assert.ok(traceState.length <= 512 && traceState.split(',').length <= 32)
    new Headers().set('tracestate', traceState)
  },
}
