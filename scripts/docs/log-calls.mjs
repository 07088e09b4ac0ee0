/** A call of a logger; `message` has `…` where the source puts something in, and is `undefined` when it cannot be read. */
const callPattern = /\b[\w$]*[lL]og(?:ger)?\s*\??\.\s*(debug|info|warn|error|fatal)\(/g

/**
 * The log lines that a source file can write: level, message and the names of the fields. It reads the text, without
 * a parser: a message or a set of fields that is a variable is looked up among the constants of the file.
 */
export function logCalls(source) {
  const code = withoutComments(source)
  return [...code.matchAll(callPattern)].flatMap(match => {
    const [first, second] = argumentsAt(code, match.index + match[0].length - 1)
    if (first === undefined) return []
    const line = code.slice(0, match.index).split('\n').length
    const fields = second === undefined ? [] : fieldsOf(first, code)
    return messagesOf(second ?? first, code).map(message => ({ level: match[1], message, fields, line }))
  })
}

function messagesOf(expression, code) {
  const text = expression.trim()
  if (/^'(?:[^'\\]|\\.)*'$/.test(text) || /^"(?:[^"\\]|\\.)*"$/.test(text))
    return [unescaped(text.slice(1, -1))]
  if (/^`(?:[^`\\]|\\.)*`$/.test(text)) return [unescaped(text.slice(1, -1).replace(/\$\{[^}]*\}/g, '…'))]
  const question = topLevelIndex(text, '?')
  if (question !== -1) {
    const branches = text.slice(question + 1)
    const colon = topLevelIndex(branches, ':')
    return [branches.slice(0, colon), branches.slice(colon + 1)].flatMap(branch => messagesOf(branch, code))
  }
  const value = /^[\w$]+$/.test(text) ? constantNamed(text, code) : undefined
  return value === undefined ? [`(${text})`] : messagesOf(value, code)
}

/** In the order of the source; what a spread call adds is not seen. */
function fieldsOf(expression, code) {
  const text = expression.trim()
  if (text.startsWith('{') && text.endsWith('}')) {
    return unique(splitAtCommas(text.slice(1, -1)).flatMap(property => propertyNames(property.trim(), code)))
  }
  const question = topLevelIndex(text, '?')
  if (question !== -1) {
    const branches = text.slice(question + 1)
    const colon = topLevelIndex(branches, ':')
    return unique(
      [branches.slice(0, colon), branches.slice(colon + 1)].flatMap(branch => fieldsOf(branch, code)),
    )
  }
  const value = /^[\w$]+$/.test(text) ? constantNamed(text, code) : undefined
  return value === undefined ? [] : fieldsOf(value, code)
}

function propertyNames(property, code) {
  if (property === '') return []
  if (!property.startsWith('...')) return [/^['"]?([\w$-]+)/.exec(property)?.[1] ?? property]
  const spread = property.slice(3).trim()
  const inner = spread.startsWith('(') ? spread.slice(1, -1) : spread
  const object = inner.indexOf('{')
  return fieldsOf(object === -1 ? inner : inner.slice(object), code)
}

function constantNamed(name, code) {
  const start = code.search(new RegExp(`\\bconst ${name.replaceAll('$', '\\$')}\\b[^=\n]*=(?!>)`))
  if (start === -1) return undefined
  const from = code.indexOf('=', start) + 1
  const end = topLevelIndex(code.slice(from), '\n')
  const value = code.slice(from, end === -1 ? undefined : from + end).trim()
  return value === name ? undefined : value
}

function argumentsAt(code, open) {
  let end = open + 1
  for (const [index, depth] of depths(code, open)) {
    if (depth > 0) continue
    end = index
    break
  }
  return splitAtCommas(code.slice(open + 1, end)).filter(argument => argument.trim() !== '')
}

function splitAtCommas(text) {
  const parts = []
  let rest = text
  for (let comma = topLevelIndex(rest, ','); comma !== -1; comma = topLevelIndex(rest, ',')) {
    parts.push(rest.slice(0, comma))
    rest = rest.slice(comma + 1)
  }
  return [...parts, rest]
}

/** The index of a character outside brackets and strings; `?.` and `??` do not count as `?`. */
function topLevelIndex(text, character) {
  for (const [index, depth] of depths(text, 0)) {
    if (depth !== 0 || text[index] !== character) continue
    if (character === '?' && /[?.]/.test(text[index + 1] + (text[index - 1] === '?' ? '?' : ''))) continue
    if (character === '\n' && text.slice(0, index).trim() === '') continue
    return index
  }
  return -1
}

/** Each place outside texts, with how many brackets are open behind it. */
function* depths(text, from) {
  let depth = 0
  for (let index = from; index < text.length; index += 1) {
    const character = text[index]
    if (/['"`]/.test(character)) {
      index = endOfText(text, index)
      continue
    }
    if (/[([{]/.test(character)) depth += 1
    if (/[)\]}]/.test(character)) depth -= 1
    yield [index, depth]
  }
}

function endOfText(text, start) {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === text[start]) return index
  }
  return text.length
}

function withoutComments(source) {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1')
}

function unescaped(text) {
  return text.replace(/\\(.)/g, '$1')
}

function unique(names) {
  return [...new Set(names)]
}
