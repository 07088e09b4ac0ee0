import type { Scene } from '../scene.ts'

/** One promise of the broker. */
export interface Step {
  readonly name: string
  /** Resolves with what was seen, in a few words; throws a `BrokenPromise` when it is not as promised. */
  run(scene: Scene): Promise<string>
}
