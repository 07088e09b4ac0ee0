import { elapsedText } from './elapsed-text.ts'
import { type Html, type HtmlPart, html } from './html.ts'

/** A section of the page with its heading. `wide` takes the whole width. */
export function section(id: string, heading: string, content: HtmlPart, wide = false): Html {
  return html`<section id="${id}" aria-labelledby="${id}-heading"${wide && html` class="wide"`}>
<h2 id="${id}-heading">${heading}</h2>
${content}
</section>
`
}

/** A moment in UTC as text: `2030-01-31 12:00:00 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** A moment in UTC: the time alone for one of the same day. */
export function moment(at: number, now: number): Html {
  const iso = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
  const [day] = iso.split('T') as [string]
  const isToday = new Date(now).toISOString().startsWith(day)
  return html`<time datetime="${iso}">${isToday ? timeText(at).slice(day.length + 1) : timeText(at)}</time>`
}

/** How long ago something was, with the moment for those who point at it. */
export function ago(at: number | undefined, now: number): Html | undefined {
  if (at === undefined) return undefined
  return html`<time datetime="${new Date(at).toISOString()}" title="${new Date(at).toISOString()}">${elapsedText(now - at)} ago</time>`
}

/** How long it is until something, or how long it is overdue. */
export function until(at: number | undefined, now: number, overdue = 'overdue'): Html | undefined {
  if (at === undefined) return undefined
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}" title="${iso}">${at >= now ? `in ${elapsedText(at - now)}` : overdue}</time>`
}

/** A word about a state, which a colour repeats. */
export function badge(kind: 'good' | 'warning' | 'critical', word: string): Html {
  return html`<span class="badge ${kind}">${word}</span>`
}

/** Text of a machine: ids, URLs, codes. */
export function code(text: string | undefined): Html | undefined {
  return text === undefined || text === '' ? undefined : html`<code>${text}</code>`
}

const integers = new Intl.NumberFormat('en-US')

/** A whole number with separators. */
export function integer(value: number): string {
  return integers.format(value)
}

/** A share as per cent; `undefined` of nothing. */
export function percent(part: number, whole: number): string | undefined {
  return whole === 0 ? undefined : `${((part / whole) * 100).toFixed(1)} %`
}
