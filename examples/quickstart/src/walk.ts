import { styleText } from 'node:util'
import { BrokenPromise } from './expectation.ts'
import type { Scene } from './scene.ts'
import { firstCall, parallel, secondCall } from './steps/cache-steps.ts'
import { dotSegments, wrongSecret, wrongSecretAgain } from './steps/refusal-steps.ts'
import { forgedHeader, putWithBody, whatTheBackendSaw } from './steps/request-steps.ts'
import type { Step } from './steps/step.ts'
import { anotherAudience, anotherScope } from './steps/token-steps.ts'

/** In this order: the second call finds what the first one left. */
const steps: readonly Step[] = [
  firstCall,
  secondCall,
  anotherScope,
  anotherAudience,
  wrongSecret,
  wrongSecretAgain,
  putWithBody,
  parallel,
  whatTheBackendSaw,
  dotSegments,
  forgedHeader,
]

/** What became of the steps. */
export interface WalkResult {
  readonly steps: number
  readonly broken: number
}

const nameWidth = Math.max(...steps.map(({ name }) => name.length)) + 2

/**
 * Takes every step, each with its line for `say`, also those after one that was not as promised.
 *
 * It breaks off when `signal` is aborted: what fails then says nothing about the broker.
 */
export async function walk(
  scene: Scene,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<WalkResult> {
  let broken = 0
  for (const { name, run } of steps) {
    const line = await run(scene).then(
      seen => `${styleText('green', '✓')} ${name.padEnd(nameWidth)} ${seen}`,
      error => {
        broken += 1
        return `${styleText('red', '✗')} ${name.padEnd(nameWidth)} ${complaint(error)}`
      },
    )
    signal.throwIfAborted()
    say(line)
  }
  return { steps: steps.length, broken }
}

function complaint(error: unknown): string {
  if (error instanceof BrokenPromise) {
    return `${error.message}: expected ${error.expected}, actual ${error.actual}`
  }
  return `expected an answer, actual ${error instanceof Error ? error.message : error}`
}
