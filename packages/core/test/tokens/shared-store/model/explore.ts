export const everything = 'everything'

/** Something that can happen next. */
export interface Event {
  /** The same in each run in which the same events happened before it, in whichever order independent ones did. */
  readonly id: string
  /** The parts of the world that it reads or changes; {@link everything} for all of them. */
  readonly touches: readonly string[]
}

/** One run of a world, from its start. Must do the same again after the same choices. */
export interface Run {
  /** What can happen now, when everything that needs no choice has happened; nothing at the end. */
  possible(): Promise<readonly Event[]>
  happen(id: string): Promise<void>
  /** Ends the run; `isComplete` unless it was given up because another run stands for it. */
  end(isComplete: boolean): Promise<void>
}

export interface Exploration {
  /** Runs to their end. */
  readonly runs: number
  /** Runs that were given up, because they differ from one of those in the order of independent events only. */
  readonly redundant: number
}

/** A choice that was made, at a depth of the tree of all runs. */
interface Choice {
  readonly possible: readonly Event[]
  /** Events whose runs from here on were explored from an earlier choice. */
  readonly asleep: readonly Event[]
  /** Those explored from here. */
  readonly done: Event[]
  taken: Event
}

/** Whether two events lead to the same state in either order. */
export function areIndependent(one: Event, other: Event): boolean {
  if (one.touches.includes(everything) || other.touches.includes(everything)) return false
  return !one.touches.some(part => other.touches.includes(part))
}

export interface ExploreOptions {
  /** Explores also the orders that differ in independent events only. */
  readonly isNaive?: boolean
  /** Ends the exploration with an error when there are more. */
  readonly maxRuns?: number
}

/**
 * Explores all orders of events, depth first, by starting again for each. Without `isNaive` it leaves out runs by sleep sets: after an
 * event was explored from a state, it sleeps in the runs that begin with another one, until an event that depends on it happens. The
 * order of the two did not count until then, so that the run was explored already. No end of a run is lost by that.
 */
export async function explore(start: () => Promise<Run>, options: ExploreOptions = {}): Promise<Exploration> {
  const { isNaive = false, maxRuns = 1_000_000 } = options
  const choices: Choice[] = []
  let [runs, redundant] = [0, 0]
  do {
    const isComplete = await runOnce(await start(), choices, isNaive)
    if (isComplete) runs++
    else redundant++
    if (runs + redundant > maxRuns) throw new Error(`more than ${maxRuns} runs`)
  } while (chooseNext(choices))
  return { runs, redundant }
}

/** Repeats the choices made so far, and then takes the first event of each state. Tells whether the run came to its end. */
async function runOnce(run: Run, choices: Choice[], isNaive: boolean): Promise<boolean> {
  let asleep: readonly Event[] = []
  for (let depth = 0; ; depth++) {
    const possible = await run.possible()
    if (possible.length === 0) return ended(run, true)
    const choice = choices[depth] ?? newChoice(possible, asleep)
    if (choice === undefined) return ended(run, false)
    if (depth === choices.length) choices.push(choice)
    else assertSame(choice.possible, possible)
    const { taken } = choice
    asleep = isNaive ? [] : [...choice.asleep, ...choice.done].filter(event => areIndependent(event, taken))
    await run.happen(taken.id)
  }
}

async function ended(run: Run, isComplete: boolean): Promise<boolean> {
  await run.end(isComplete)
  return isComplete
}

function newChoice(possible: readonly Event[], asleep: readonly Event[]): Choice | undefined {
  const [taken] = awake(possible, asleep)
  return taken && { possible, asleep, done: [], taken }
}

/** Moves the deepest choice that has another event left to it. */
function chooseNext(choices: Choice[]): boolean {
  for (let choice = choices.at(-1); choice !== undefined; choice = choices.at(-1)) {
    choice.done.push(choice.taken)
    const [next] = awake(choice.possible, [...choice.asleep, ...choice.done])
    if (next !== undefined) {
      choice.taken = next
      return true
    }
    choices.pop()
  }
  return false
}

function awake(possible: readonly Event[], asleep: readonly Event[]): readonly Event[] {
  return possible.filter(({ id }) => !asleep.some(other => other.id === id))
}

function assertSame(before: readonly Event[], now: readonly Event[]): void {
  const [expected, found] = [before, now].map(events => events.map(({ id }) => id).join(', '))
  if (expected !== found) throw new Error(`the run is not the same again: ${expected} became ${found}`)
}
