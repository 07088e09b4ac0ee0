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
  readonly classList: { toggle(name: string, on: boolean): void }
}
declare const document: {
  title: string
  getElementById(id: string): unknown
  querySelector(selector: string): unknown
}
declare const DOMParser: new () => { parseFromString(text: string, type: string): { readonly body: Part } }
declare const EventSource: new (
  url: string,
) => {
  readonly readyState: number
  onmessage: (event: { readonly data: string }) => void
  close(): void
}

/** Runs in the browser. Uses nothing from outside itself, because its source is sent. */
function live(): void {
  const main = document.getElementById('main') as Part
  const text = document.getElementById('live') as LiveText
  const icon = document.querySelector('link[rel=icon]') as Part
  let lastAt = performance.now()
  let hasSeen = false
  let source = connect()

  function connect() {
    const events = new EventSource('status/events')
    events.onmessage = ({ data }) => {
      const content = JSON.parse(data)
      lastAt = performance.now()
      hasSeen = true
      document.title = content.title
      icon.setAttribute('href', content.icon)
      patchChildren(main, new DOMParser().parseFromString(content.main, 'text/html').body)
      show()
    }
    return events
  }

  function show() {
    const seconds = Math.round((performance.now() - lastAt) / 1000)
    const isLost = seconds >= 5
    text.classList.toggle('lost', isLost)
    if (isLost) text.textContent = `Connection lost. This is the state of ${seconds} s ago.`
    else if (hasSeen) text.textContent = 'Live'
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
    // A browser reconnects by itself after a lost connection, but not after an answer such as 404 or 503.
    if (source.readyState === 2) source = connect()
  }, 1_000)
}

/** The script of the page: takes each new state without losing the focus, the scroll position or what is unfolded. */
export const pageScript: string = `(${live.toString()})()`
