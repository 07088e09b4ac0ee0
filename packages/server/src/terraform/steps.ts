import type { Watchdog } from './watchdog.ts'

/** What a call is doing, in words that follow "it was still". */
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
