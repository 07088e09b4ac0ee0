const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Markup that can be sent as it is. Only this file makes it. */
class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

export type { Html }

/** A value in a template. Markup stays, everything else is text and is escaped; `undefined`, `false` and an empty list are nothing. */
export type HtmlPart = Html | string | number | undefined | false | readonly HtmlPart[]

/** Takes a script or a style of ours as it is: browsers do not decode entities in them. */
export function rawText(source: string): Html {
  if (/<[/!]/.test(source)) throw new TypeError('the text would end its element')
  return new Html(source)
}

/** Makes markup. The one place that escapes: a value between tags or in a quoted attribute can never become markup. */
export function html(markup: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(String.raw({ raw: markup }, ...parts.map(markupOf)))
}

function markupOf(part: HtmlPart): string {
  if (part instanceof Html) return part.toString()
  if (part === undefined || part === false) return ''
  if (typeof part === 'object') return part.map(markupOf).join('')
  return String(part).replace(/[&<>"']/g, character => entities[character] as string)
}
