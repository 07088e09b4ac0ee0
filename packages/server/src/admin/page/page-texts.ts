import type { PageFacts, PageStatus } from './page-status.ts'
import { problems } from './problems.ts'
import { pageContent, pageDocument } from './render-page.ts'

export { pageHeaders } from './page-headers.ts'

/** The page for people. */
export function documentText(facts: PageFacts): string {
  return pageDocument(judged(facts))
}

/** The same content for programs. */
export function jsonText(facts: PageFacts): string {
  return `${JSON.stringify(judged(facts), null, 2)}\n`
}

/** One line with the new state of an open page. */
export function eventText(facts: PageFacts): string {
  return JSON.stringify(pageContent(judged(facts)))
}

function judged(facts: PageFacts): PageStatus {
  return { problems: problems(facts), ...facts }
}
