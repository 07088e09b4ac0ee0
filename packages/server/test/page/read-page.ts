import { request } from 'node:https'

/** GET of the page over TLS, of somebody on this host who trusts a CA. */
export function getOverTls(port: number, path: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, ca, headers: { host: 'localhost' } }, async answer => {
      resolve((await answer.setEncoding('utf8').toArray()).join(''))
    })
      .once('error', reject)
      .end()
  })
}

/** The rows of each section's table as a person reads them, by the ids of the sections; a blank cell is a dash. */
export function tablesIn(page: string): ReadonlyMap<string, readonly Readonly<Record<string, string>>[]> {
  const sections = page.matchAll(/<section id="([^"]+)".*?<\/section>/gs)
  return new Map([...sections].map(([section, id = '']) => [id, rowsIn(section)]))
}

function rowsIn(section: string): Record<string, string>[] {
  const [head = '', body = ''] = section.split('<tbody')
  const headings = [...head.matchAll(/<th [^>]*>(.*?)<\/th>/gs)].map(([, heading = '']) => heading)
  return body
    .split('<tr ')
    .slice(1)
    .map(row => {
      const cells = [...row.matchAll(/<t[hd] [^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => textOf(cell))
      return Object.fromEntries(headings.map((heading, index) => [heading, cells[index] ?? '']))
    })
}

function textOf(markup: string): string {
  return markup
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
