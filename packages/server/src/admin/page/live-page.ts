import { elapsedText } from './elapsed-text.ts'
import { pageIcons } from './page-icons.ts'
import { timeText } from './parts.ts'

/** The parts of the DOM that {@link live} uses. The DOM's own types would be visible in the whole server. */
interface Part {
  readonly nodeType: number
  readonly nodeName: string
  nodeValue: string | null
  readonly id?: string
  readonly childNodes: ArrayLike<Part>
  readonly attributes?: ArrayLike<{ readonly name: string; readonly value: string }>
  getAttribute(name: string): string | null
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
  insertBefore(part: Part, before: Part | null): void
  replaceWith(part: Part): void
  remove(): void
}
interface LiveText {
  textContent: string
  readonly parentElement: { readonly classList: { toggle(name: string, on: boolean): void } }
}
declare const document: {
  title: string
  readonly documentElement: Part
  getElementById(id: string): unknown
  querySelector(selector: string): unknown
}
declare const location: { reload(): void }
declare const DOMParser: new () => { parseFromString(text: string, type: string): { readonly body: Part } }
declare const EventSource: new (
  url: string,
) => {
  readonly readyState: number
  onmessage: (event: { readonly data: string }) => void
  onerror: () => void
  close(): void
}

/** The functions and the sign of ours that {@link live} uses. */
type Tools = readonly [
  elapsedText: (ms: number) => string,
  timeText: (at: number) => string,
  lostIcon: string,
]

/** Runs in the browser. Uses nothing from outside itself, because its source is sent. */
function live(...[elapsed, time, lostIcon]: Tools): void {
  const closed = 2
  const main = document.getElementById('main') as Part
  const text = document.getElementById('live') as LiveText
  const age = document.getElementById('age') as LiveText
  const icon = document.querySelector('link[rel=icon]') as Part
  const version = document.documentElement.getAttribute('data-version')
  let { title } = document
  // Times of the wall clock, because the other one stops while a machine is suspended.
  let lastAt = Date.now()
  let triedAt = lastAt
  let hasSeen = false
  let refusal = ''
  let source = connect()

  function connect() {
    triedAt = Date.now()
    const events = new EventSource('status/events')
    events.onmessage = ({ data }) => {
      const content = JSON.parse(data)
      // New markup needs its own style and script. Not at once: behind a load balancer the next answer can be of the other version.
      if (content.version !== version && performance.now() > 3_000) location.reload()
      lastAt = Date.now()
      hasSeen = true
      refusal = ''
      title = content.title
      icon.setAttribute('href', content.icon)
      patchChildren(main, new DOMParser().parseFromString(content.main, 'text/html').body)
      show()
    }
    events.onerror = () => {
      if (events.readyState === closed) void askWhy()
      else refusal = ''
    }
    return events
  }

  /** An event source does not tell the status of its answer. */
  async function askWhy() {
    const { status } = await fetch('status/events', { method: 'HEAD' }).catch(() => ({ status: 0 }))
    if (status === 503) refusal = 'Not live: too many pages of this broker are open. Close one of them.'
    else refusal = status === 404 ? 'Not live: ADMIN_PAGE of this broker refuses this page now.' : ''
    show()
  }

  function show() {
    const ms = Date.now() - lastAt
    const isLost = ms >= 5_000 || refusal !== ''
    text.parentElement.classList.toggle('lost', isLost)
    if (isLost) {
      const since = time(lastAt)
      say(
        text,
        refusal === ''
          ? `Not connected since ${since}. The page shows the state of that moment`
          : `${refusal} The page shows the state of ${since}`,
      )
      icon.setAttribute('href', lostIcon)
    } else if (hasSeen) say(text, 'Live')
    say(age, isLost ? ` (${elapsed(ms)} ago).` : '')
    document.title = isLost ? `Not live – ${title}` : title
  }

  /** Leaves a text that is right alone: screen readers announce a new one. */
  function say(place: LiveText, words: string) {
    if (place.textContent !== words) place.textContent = words
  }

  function patchChildren(old: Part, next: Part) {
    const wanted = Array.from(next.childNodes)
    for (const [index, child] of wanted.entries()) {
      const present = Array.from(old.childNodes)
      const same = child.id ? present.find(each => each.id === child.id) : undefined
      const place = present[index]
      if (same !== undefined && same !== place) old.insertBefore(same, place ?? null)
      const current = same ?? place
      if (current === undefined) old.insertBefore(child, null)
      else patch(current, child)
    }
    for (const left of Array.from(old.childNodes).slice(wanted.length)) left.remove()
  }

  function patch(old: Part, next: Part) {
    if (old.nodeName !== next.nodeName || (old.id ?? '') !== (next.id ?? '')) {
      old.replaceWith(next)
      return
    }
    if (old.nodeType !== 1) {
      if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue
      return
    }
    const names = new Set(Array.from(next.attributes ?? [], ({ name }) => name))
    for (const { name } of Array.from(old.attributes ?? [])) {
      if (!names.has(name) && name !== 'open') old.removeAttribute(name)
    }
    for (const { name, value } of Array.from(next.attributes ?? [])) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value)
    }
    patchChildren(old, next)
  }

  setInterval(() => {
    show()
    // A browser reconnects by itself after a lost connection, but not after an answer such as 404 or 503, and not while a connection
    // is silent because the network forgot it.
    const isSilent = Date.now() - Math.max(lastAt, triedAt) >= 15_000
    if (source.readyState !== closed && !isSilent) return
    source.close()
    source = connect()
  }, 1_000)
}

const tools = [elapsedText, timeText, JSON.stringify(pageIcons.lost)].join(', ')

/** The script of the page: takes each new state without losing the focus, the scroll position or what is unfolded. */
export const pageScript: string = `(${live})(${tools})`
