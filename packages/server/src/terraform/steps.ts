import type { Watchdog } from './watchdog.ts'

/** The present step of a call, in words that follow "it was still"; the watchdog learns it, too. */
export class Steps {
  step = 'starting'
  readonly #watchdog: Pick<Watchdog, 'tell'>

  constructor(watchdog: Pick<Watchdog, 'tell'>) {
    this.#watchdog = watchdog
  }

  begin(step: string): void {
    this.step = step
    this.#watchdog.tell(step)
  }
}
