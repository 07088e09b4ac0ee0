import { type Exploration, type ExploreOptions, explore } from './explore.ts'
import { ModelRun } from './model-run.ts'
import type { ModelStore, Scenario } from './scenario.ts'

/** Explores all runs of a scenario. */
export function exploreScenario(
  scenario: Scenario,
  store: (clock: { wall(): number }) => ModelStore,
  options?: ExploreOptions,
): Promise<Exploration> {
  return explore(async () => {
    const run = new ModelRun(scenario, store)
    await run.prepare()
    return run
  }, options)
}
