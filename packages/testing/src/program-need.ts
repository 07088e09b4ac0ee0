import { findBinary } from './find-binary.ts'

/** Programs that a test takes from the PATH. */
export type Program = 'bash' | 'zsh' | 'fish' | 'kubectl'

/** Whether a program is on the PATH, for `needs` of `@broker/testing/vitest`. */
export function programNeed<Name extends Program>(program: Name): Readonly<Record<Name, boolean>> {
  return { [program]: findBinary(undefined, program) !== undefined } as Record<Name, boolean>
}
