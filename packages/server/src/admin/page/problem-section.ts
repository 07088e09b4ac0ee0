import { elapsedText } from './elapsed-text.ts'
import { type Html, html } from './html.ts'
import type { PageStatus } from './page-status.ts'
import { badge, moment, section } from './parts.ts'
import type { Problem } from './problem.ts'

const words = { critical: 'Critical', warning: 'Warning' } as const

/**
 * What is wrong, since when, and what to do. Screen readers announce a change of it, so it says the moment: what counts seconds
 * is hidden from them.
 */
export function problemSection({ problems, at, startedAt }: PageStatus): Html {
  return section(
    'problems',
    problems.length === 0 ? 'No problems' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`,
    html`<div aria-live="polite">${
      problems.length === 0
        ? html`<p class="calm">${badge('good', 'OK')} Nothing is wrong. Running since ${moment(startedAt, at)}<span aria-hidden="true"> (${elapsedText(at - startedAt)})</span>.</p>`
        : html`<ol class="problems">${problems.map(problem => problemItem(problem, at))}</ol>`
    }</div>`,
    true,
  )
}

function problemItem({ kind, severity, summary, since, action }: Problem, at: number): Html {
  return html`<li class="problem ${severity}">
${badge(severity, words[severity])}
<div class="about">
<p class="summary">${summary}</p>
<p class="action"><strong>Do:</strong> ${action}</p>
<p class="more">${since !== undefined && html`Since ${moment(since, at)}<span aria-hidden="true"> (${elapsedText(at - since)})</span>. `}Runbook: <code>docs/operations.md#${kind}</code></p>
</div>
</li>
`
}
