import { readFileSync } from 'node:fs'
import path from 'node:path'

const openingMarker = /^<!-- snippet: ([^\s#]+)(?:#(\S+))? -->$/
const regionMarker = /^\s*(\/\/|#) ?#(?:region|endregion)\b/
const closingMarker = '<!-- /snippet -->'

/**
 * Puts files that really run, or regions of them, between the markers `<!-- snippet: path -->` or
 * `<!-- snippet: path#region -->` and `<!-- /snippet -->`. Paths are relative to the root. Returns the text and the faults, each with its line.
 */
export function fillSnippets(markdown, root) {
  const lines = markdown.split('\n')
  const filled = []
  const faults = []
  for (let index = 0; index < lines.length; index += 1) {
    filled.push(lines[index])
    const [, file, region] = lines[index].match(openingMarker) ?? []
    if (!file) continue
    const end = lines.indexOf(closingMarker, index)
    if (end === -1) {
      faults.push(`${index + 1}: the snippet has no ${closingMarker}`)
      continue
    }
    try {
      filled.push(`\`\`\`${path.extname(file).slice(1)}`, ...linesOf(path.join(root, file), region), '```')
    } catch (error) {
      faults.push(`${index + 1}: ${error.message}`)
      filled.push(...lines.slice(index + 1, end))
    }
    filled.push(closingMarker)
    index = end
  }
  return { text: filled.join('\n'), faults }
}

function linesOf(file, region) {
  if (region !== undefined) return linesOfRegion(file, region)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.filter(line => !regionMarker.test(line))
}

/** The lines between `// #region name` and `// #endregion` (`#` in YAML and shell), moved to the left margin. */
function linesOfRegion(file, region) {
  const lines = readFileSync(file, 'utf8').split('\n')
  const start = lines.findIndex(line => /^\s*(\/\/|#) ?#region (\S+)\s*$/.exec(line)?.[2] === region)
  if (start === -1) throw new Error(`${path.basename(file)} has no region ${region}`)
  const length = lines.slice(start + 1).findIndex(line => /^\s*(\/\/|#) ?#endregion\b/.test(line))
  if (length === -1) throw new Error(`the region ${region} of ${path.basename(file)} has no end`)
  const content = lines.slice(start + 1, start + 1 + length)
  const indent = Math.min(...content.filter(line => line.trim()).map(line => line.search(/\S/)))
  return content.map(line => line.slice(indent))
}
