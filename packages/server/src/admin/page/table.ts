import { type Html, type HtmlPart, html } from './html.ts'

interface Column {
  readonly heading: string
  readonly isNumber?: boolean
}

/** The headings of the columns; `#` in front marks a column of numbers, which is aligned to the right. */
export type Headings = readonly string[]

/**
 * A table with a caption; the first cell of a row is its heading. On a narrow screen each row becomes a card, with the heading of
 * the column before each value: the roles keep it a table for screen readers.
 */
export function table(
  caption: HtmlPart,
  headings: Headings,
  rows: readonly (readonly HtmlPart[])[],
  empty = 'None.',
): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  const columns = headings.map(columnOf)
  return html`<table role="table"${columns.length === 2 && html` class="pairs"`}>
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(
    ({ heading, isNumber }) =>
      html`<th role="columnheader" scope="col"${isNumber && html` class="number"`}>${heading}</th>`,
  )}</tr></thead>
<tbody role="rowgroup">${rows.map(row => rowOf(row, columns))}</tbody>
</table>`
}

function rowOf([first, ...others]: readonly HtmlPart[], [, ...columns]: readonly Column[]): Html {
  return html`<tr role="row"><th role="rowheader" scope="row">${first}</th>${columns.map(
    ({ heading, isNumber }, index) => {
      const cell = others[index]
      const names = [isNumber && 'number', isBlank(cell) && 'blank'].filter(Boolean).join(' ')
      return html`<td role="cell" data-label="${heading}"${names !== '' && html` class="${names}"`}><span>${
        isBlank(cell) ? '–' : cell
      }</span></td>`
    },
  )}</tr>
`
}

function columnOf(text: string): Column {
  return text.startsWith('#') ? { heading: text.slice(1), isNumber: true } : { heading: text }
}

function isBlank(cell: HtmlPart): boolean {
  return cell === undefined || cell === false || cell === '' || (Array.isArray(cell) && cell.length === 0)
}
