import { arrivalProblems } from './arrival-problems.ts'
import { configurationWarnings } from './configuration-warnings.ts'
import { ownProblems } from './own-problems.ts'
import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'
import { refusalProblems } from './refusal-problems.ts'
import { upstreamProblems } from './upstream-problems.ts'

/** Says what is wrong, the worst first. Of the same severity, a cause comes before its effects. */
export function problems(facts: PageFacts): readonly Problem[] {
  const found = [
    ...upstreamProblems(facts),
    ...arrivalProblems(facts),
    ...ownProblems(facts),
    ...configurationWarnings(facts),
  ]
  const all = [...found, ...refusalProblems(facts, found)]
  return [...all.filter(isCritical), ...all.filter(problem => !isCritical(problem))]
}

function isCritical({ severity }: Problem): boolean {
  return severity === 'critical'
}
