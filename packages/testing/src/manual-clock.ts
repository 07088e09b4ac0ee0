/** Both clocks of the broker, standing still until a test moves them. */
export class ManualClock {
  #wall = Date.parse('2030-01-01T00:00:00Z')
  #monotonic = 5_000

  wall = (): number => this.#wall

  monotonic = (): number => this.#monotonic

  /** Time passes on both clocks. */
  advance(ms: number): void {
    this.#wall += ms
    this.#monotonic += ms
  }

  /** Somebody sets the wall clock, or the machine wakes up. */
  jumpWall(ms: number): void {
    this.#wall += ms
  }
}
