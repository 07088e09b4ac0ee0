import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * The relative links of a Markdown file that lead nowhere: to a missing file, out of the repository, or to a heading
 * that does not exist. Links to other sites are not followed: a check must not fail because a network does.
 */
export function brokenLinks(file, root) {
  const markdown = readFileSync(path.join(root, file), 'utf8')
  return linkTargets(markdown).flatMap(({ line, target }) => {
    const reason = whyBroken(target, file, root)
    return reason ? [`${file}:${line}: ${target} ${reason}`] : []
  })
}

function whyBroken(target, file, root) {
  if (/^[a-z][a-z+.-]*:/i.test(target) || target.startsWith('//')) return undefined
  const [linkedPath, anchor] = target.split('#').map(decodeURIComponent)
  const linkedFile = linkedPath === '' ? file : path.join(path.dirname(file), linkedPath)
  if (linkedFile.startsWith('..') || path.isAbsolute(linkedPath)) return 'leads out of the repository'
  if (!existsSync(path.join(root, linkedFile))) return 'does not exist'
  if (!anchor || !linkedFile.endsWith('.md')) return undefined
  return anchorsOf(readFileSync(path.join(root, linkedFile), 'utf8')).has(anchor)
    ? undefined
    : 'has no such heading'
}

function linkTargets(markdown) {
  const found = []
  textLines(markdown).forEach((text, index) => {
    const prose = text.replace(/(`+).*?\1/g, '')
    const links = [
      ...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+["'(][^)]*)?\)/g),
      ...prose.matchAll(/^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)/g),
      ...prose.matchAll(/\b(?:href|src)="([^"]+)"/g),
    ]
    for (const [, target] of links) found.push({ line: index + 1, target })
  })
  return found
}

/** The anchors that GitHub gives to a file's headings, and those that the file sets itself. */
export function anchorsOf(markdown) {
  const anchors = new Set()
  for (const text of textLines(markdown)) {
    for (const [, id] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id)
    const heading = text.match(/^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/)?.[1]
    if (heading === undefined) continue
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** The lines of a Markdown text. Lines of fenced code are blank, so that line numbers stay. */
export function textLines(markdown) {
  let fence
  return markdown.split('\n').map(line => {
    const marker = line.match(/^\s*(`{3,}|~{3,})/)?.[1]
    if (fence === undefined) {
      fence = marker
      return marker ? '' : line
    }
    if (marker?.startsWith(fence)) fence = undefined
    return ''
  })
}
