/**
 * The members of an exported interface of a source file, in their order, as `{ name, type, doc }`. Reads the formatter's layout: one member a line, its doc comment in front of it.
 */
export function interfaceMembers(source, interfaceName) {
  const lines = source.split('\n')
  const start = lines.findIndex(line => line.startsWith(`export interface ${interfaceName} `))
  if (start === -1) throw new Error(`there is no exported interface ${interfaceName}`)
  const end = lines.indexOf('}', start)
  const members = []
  for (let index = start + 1; index < end; index += 1) {
    const line = lines[index].trim()
    if (line.startsWith('/**') || line.startsWith('*')) continue
    const [, name, type] = /^(?:readonly )?(\w+)\??: (.+)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`${interfaceName}: "${line}" is not a member on one line`)
    members.push({ name, type: type.replace(/ \| undefined$/, ''), doc: docAbove(lines, index) })
  }
  return members
}

/** The doc comment of an exported type or interface of a source file, as one paragraph; empty without one. */
export function declarationDoc(source, name) {
  const lines = source.split('\n')
  return docAbove(
    lines,
    lines.findIndex(line => new RegExp(`^export (?:type|interface) ${name}\\b`).test(line)),
  )
}

/** The text of the doc comment that ends above a line, as one paragraph; empty without one. */
function docAbove(lines, index) {
  if (!lines[index - 1]?.trim().endsWith('*/')) return ''
  let first = index - 1
  while (!lines[first].trim().startsWith('/**')) first -= 1
  return lines
    .slice(first, index)
    .map(line =>
      line
        .trim()
        .replace(/^\/?\*+\/? ?/, '')
        .replace(/ ?\*\/$/, ''),
    )
    .join(' ')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim()
}
