import assert from 'node:assert/strict'
import { formatGoDuration, parseGoDuration } from '../../../packages/server/src/config/values/go-duration.ts'
import { parseMilliseconds } from '../../../packages/server/src/config/values/milliseconds.ts'
import { Refusal } from '../../../packages/server/src/config/values/refusal.ts'
import { grpcTimeoutMs } from '../../../packages/server/src/grpc/grpc-timeout.ts'
import { waitingTimeMs } from '../../../packages/server/src/waiting-time.ts'
import { assertExpected } from '../expected-error.ts'
import type { Target } from '../target.ts'

/** The grammar of Go's `time.ParseDuration`, as its documentation has it. */
const grammar = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const limits = { min: 10, max: 86_400_000 }

/** Durations of the configuration, of `grpc-timeout` and of Envoy's timeout header. */
export const durationTarget: Target = {
  name: 'duration',
  seeds: ['1m30s', '500ms', '-1.5h', '.5s', '0', '12µs', '7ns', '2562047h47m16.854775807s', '5S', '300'],
  dictionary: ['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h', '.', '+', '-', '0.', '٣'],
  maxBytes: 32_768,
  sources: [
    'packages/server/src/config/values/go-duration.ts',
    'packages/server/src/config/values/milliseconds.ts',
    'packages/server/src/grpc/grpc-timeout.ts',
    'packages/server/src/waiting-time.ts',
  ],
  judge(input) {
    const text = input.toString()
    const nanoseconds = parseGoDuration(text)
    assert.equal(nanoseconds !== undefined, grammar.test(text))
    if (nanoseconds !== undefined) {
      assert.equal(parseGoDuration(formatGoDuration(nanoseconds)), nanoseconds)
      const unsigned = text.replace(/^[+-]/, '')
      if (unsigned !== '0') {
        const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds
        assert.equal(parseGoDuration(unsigned + unsigned), 2n * magnitude)
      }
    }
    try {
      const ms = parseMilliseconds(text, limits)
      assert.ok(Number.isSafeInteger(ms) && ms >= limits.min && ms <= limits.max)
    } catch (error) {
      assertExpected(error instanceof Refusal, error)
      assert.ok(error.problems.every(problem => problem.length < 700 && !problem.includes('\n')))
    }
    for (const ms of [grpcTimeoutMs(text), waitingTimeMs(text)]) {
      if (ms !== undefined) assert.ok(Number.isFinite(ms) && ms > 0)
    }
  },
}
