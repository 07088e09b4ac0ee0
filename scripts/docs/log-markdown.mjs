/**
 * Compares the guide to the log with the source: lines without a description, lines or fields that nothing writes, missing
 * texts. `calls` come from `logCalls`, each with its file; `sources` is the text of all source files.
 */
export function logGuideFaults(guide, calls, sources) {
  const { lines, fields } = guide
  const written = new Set(calls.map(({ message }) => message))
  const used = new Set(rowsOf(guide, calls).flatMap(row => row.fields))
  return [
    ...calls
      .filter(({ message }) => !Object.hasOwn(lines, message))
      .map(
        ({ message, level, file, line }) =>
          `${file}:${line} logs '${message}' (${level}), which is not described`,
      ),
    ...Object.keys(lines)
      .filter(message => !written.has(message))
      .map(message => `'${message}' is described, and nothing logs it`),
    ...Object.entries(lines)
      .filter(([, { area, meaning, action }]) => !area || !meaning || !action)
      .map(([message]) => `'${message}' has no area, meaning or action`),
    ...rowsOf(guide, calls).flatMap(row => hintFaults(row)),
    ...Object.entries(lines).flatMap(([message, entry]) =>
      moreFieldsOf(entry)
        .filter(name => !new RegExp(`\\b${name}\\b`).test(sources))
        .map(name => `moreFields of '${message}': nothing in the source is called '${name}'`),
    ),
    ...[...used]
      .filter(name => !Object.hasOwn(fields, name))
      .map(name => `the field '${name}' is not described`),
    ...Object.keys(fields)
      .filter(name => !used.has(name))
      .map(name => `the field '${name}' is described, and no line has it`),
  ].map(fault => `scripts/docs/log-guide.json: ${fault}`)
}

/**
 * The guide after an edit of the source: a line that was reworded keeps its text under the new message, where file and
 * level leave no doubt; a new line is added with empty texts, which is a fault until somebody writes them.
 */
export function repairedLogGuide({ lines, fields }, calls) {
  const places = placesOf(calls)
  const placeOf = message => places.get(message) ?? lines[message]
  const gone = Object.keys(lines).filter(message => !places.has(message))
  const added = [...places.keys()].filter(message => !Object.hasOwn(lines, message))
  const successors = new Map()
  for (const stale of gone) {
    const isBeside = message => {
      const [{ file, level }, other] = [placeOf(stale), placeOf(message)]
      return file === other.file && level === other.level
    }
    const candidates = added.filter(isBeside)
    const alike = candidates.filter(message => sharedWords(message, stale) > 0.3)
    const isOnlyOne = candidates.length === 1 && gone.filter(isBeside).length === 1
    const [successor] = isOnlyOne ? candidates : alike.length === 1 ? alike : []
    if (successor !== undefined && ![...successors.values()].includes(successor))
      successors.set(stale, successor)
  }
  const kept = Object.entries(lines).map(([message, entry]) => {
    const current = successors.get(message) ?? message
    return [current, { ...entry, ...places.get(current) }]
  })
  const known = new Set(kept.map(([message]) => message))
  const stubs = [...places]
    .filter(([message]) => !known.has(message))
    .map(([message, place]) => [message, { area: '', ...place, meaning: '', action: '' }])
  return { lines: Object.fromEntries([...kept, ...stubs]), fields }
}

/** File and levels of each message. */
function placesOf(calls) {
  const places = new Map()
  for (const { message, file, level } of calls) {
    const levels = places.get(message)?.level.split(', ') ?? []
    places.set(message, { file, level: [...new Set([...levels, level])].toSorted().join(', ') })
  }
  return places
}

function sharedWords(one, other) {
  const words = text => new Set(text.toLowerCase().match(/[a-z]{3,}/g))
  const [a, b] = [words(one), words(other)]
  const shared = [...a].filter(word => b.has(word)).length
  return shared / Math.max(1, new Set([...a, ...b]).size)
}

/** The text of docs/log.md. */
export function logMarkdown(guide, calls) {
  const rows = rowsOf(guide, calls)
  const areas = [...new Set(rows.map(({ area }) => area))]
  const tables = areas.map(
    area =>
      `## ${area}\n\n| Message | Level | Fields | Meaning | What to do |\n| --- | --- | --- | --- | --- |\n${rows
        .filter(row => row.area === area)
        .map(({ title, levels, fields, meaning, action }) => {
          const names = fields.map(name => `\`${name}\``).join(', ')
          return `| ${cell(title)} | ${levels.join(', ')} | ${names || '–'} | ${cell(meaning)} | ${cell(action)} |`
        })
        .join('\n')}`,
  )
  const used = new Set(rows.flatMap(({ fields }) => fields))
  const fieldRows = Object.entries(guide.fields)
    .filter(([name]) => used.has(name))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, text]) => `| \`${name}\` | ${cell(text)} |`)
  return `# Log

<!-- Generated from the log calls in the source and from scripts/docs/log-guide.json: change these, not this file. -->

The server logs to standard output: one JSON object per line with \`level\`, \`time\` (ISO 8601), the fields and \`msg\`. \`LOG_FORMAT=text\` is for people,
\`LOG_LEVEL\` sets the least severe level. Find a failure and its hint:

\`\`\`sh
kubectl logs deployment/dex-token-broker | grep '"hint"'
\`\`\`

\`…\` stands for a text that differs from line to line. Search for the part before it. A library user gets the lines of \`@broker/core\` through
the option \`logger\`. No line holds a secret, a token or a JWT.

Each line that a check causes also has \`protocol\`, and the ids that Envoy forwards: \`request_id\`, \`trace_id\` and \`span_id\`. Several checks can wait
for one request to Dex: its lines have the ids of the check that began it. A line with \`count\` has the ids of the last check in that count. Work
that a timer begins, such as the probe of a failing shared store, has none.
[operations.md](operations.md#find-out-why-a-request-was-refused) shows how to use them.

${tables.join('\n\n')}

## Fields

| Field | Meaning |
| --- | --- |
${fieldRows.join('\n')}
`
}

function rowsOf({ lines }, calls) {
  return Object.entries(lines).flatMap(([message, entry]) => {
    const own = calls.filter(call => call.message === message)
    if (own.length === 0) return []
    const { area, meaning, action, withoutHint, title = message } = entry
    const fields = [...new Set([...own.flatMap(call => call.fields), ...moreFieldsOf(entry)])]
    const levels = [...new Set(own.map(({ level }) => level.toUpperCase()))]
    return [{ message, title, area, meaning, action, withoutHint, fields, levels }]
  })
}

/** A line that calls for somebody says what to do, or the guide says why it does not. */
function hintFaults({ message, levels, fields, withoutHint = '' }) {
  const isUrgent = levels.some(level => ['WARN', 'ERROR', 'FATAL'].includes(level))
  const hasHint = fields.includes('hint')
  if (isUrgent && !hasHint && withoutHint === '')
    return [`'${message}' is ${levels.join()} without a hint: log one, or give the reason in withoutHint`]
  return hasHint && withoutHint !== ''
    ? [`'${message}' has a hint, and withoutHint says that it has none`]
    : []
}

/** Fields that come from a function, which a look at the call does not show. */
function moreFieldsOf({ moreFields = '' }) {
  return moreFields.split(', ').filter(Boolean)
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
