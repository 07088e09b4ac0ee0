import { RE2JS } from 're2js'
import { ruleLimits } from './rule-limits.ts'

/** The compiled patterns of `matches`, by their text, on an engine that never backtracks. */
export class LinearPatterns {
  readonly #engines = new Map<string, RE2JS>()

  /** Compiles a pattern for `matches`. Returns the problem when it cannot be used. */
  add(pattern: string): string | undefined {
    if (this.#engines.has(pattern)) return undefined
    try {
      const engine = RE2JS.compile(pattern)
      if (engine.programSize() > ruleLimits.patternInstructions) {
        return 'the pattern is too large; use shorter repetitions'
      }
      this.#engines.set(pattern, engine)
      return undefined
    } catch (error) {
      const detail = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : ''
      return `the pattern is not valid in RE2 syntax: ${detail}`
    }
  }

  /** Whether a pattern matches somewhere in a text, in time linear to its length. */
  matches(text: string, pattern: string): boolean {
    if (text.length > ruleLimits.searchedLength) throw new RangeError('the text is too long for matches')
    const engine = this.#engines.get(pattern)
    if (engine === undefined) throw new TypeError('the pattern was not compiled')
    return engine.test(text)
  }
}
