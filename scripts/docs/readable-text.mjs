import path from 'node:path'
import { textLines } from './markdown-links.mjs'

/**
 * The texts of a file that a person reads, as `{ kind, text, line }`: `line` is the first line of the text, and its
 * line breaks are kept. Code is left out: of a script only comments and strings are texts. `kind` is `heading`, `table`
 * or `prose` in Markdown, else `comment` or `string`.
 */
export function readableTexts(file, content) {
  const extension = path.extname(file)
  if (extension === '.md') return markdownTexts(content)
  if (/^\.([cm]?[jt]s)$/.test(extension)) return scriptTexts(content)
  return lineTexts(content)
}

function markdownTexts(content) {
  const texts = []
  let open
  const close = () => {
    if (open) texts.push(open)
    open = undefined
  }
  markdownProseLines(content).forEach((source, index) => {
    const line = index + 1
    const text = plainMarkdown(source)
    if (text.trim() === '') {
      close()
      return
    }
    if (/^ {0,3}#{1,6}\s/.test(text)) {
      close()
      texts.push({ kind: 'heading', text: text.replace(/^\s*#+\s+/, ''), line })
      return
    }
    if (/^\s*\|/.test(text)) {
      close()
      texts.push({ kind: 'table', text, line })
      return
    }
    const item = text.match(/^\s*(?:>\s*)?(?:[-*+]|\d+[.)])\s+/)
    if (item) close()
    const rest = text
      .slice(item?.[0].length ?? 0)
      .replace(/^\s*>/, '')
      .trim()
    if (open) open.text += `\n${rest}`
    else open = { kind: 'prose', text: rest, line }
  })
  close()
  return texts
}

/** The lines of a Markdown file, where fenced code, comments and front matter are empty lines. */
function markdownProseLines(content) {
  const withoutComments = content.replace(/<!--[\s\S]*?-->/g, comment => comment.replace(/[^\n]/g, ''))
  const withoutFrontMatter = withoutComments.replace(/^---\n[\s\S]*?\n---\n/, matter =>
    matter.replace(/[^\n]/g, ''),
  )
  return textLines(withoutFrontMatter)
}

/** Inline code becomes one word, a link its text. */
function plainMarkdown(line) {
  return line
    .replace(/(`+)(?!`).*?\1/g, '`code`')
    .replace(/!?\[((?:[^\][]|\[[^\]]*\])*)\]\([^)]*\)/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .replace(/\*\*|__/g, '')
}

function scriptTexts(content) {
  const texts = []
  let position = 0
  let line = 1
  // Decides whether a slash starts a regular expression: one does where a value cannot have ended.
  let previous = ''
  const advance = length => {
    for (let end = position + length; position < end; position += 1) if (content[position] === '\n') line += 1
  }
  const addComment = (text, startLine, endLine) => {
    const last = texts.at(-1)
    if (text.startsWith('//') && last?.isLine && last.endLine === startLine - 1) {
      last.text += `\n${text.slice(2).trim()}`
      last.endLine = endLine
      return
    }
    const isLine = text.startsWith('//')
    const plain = isLine
      ? text.slice(2).trim()
      : text
          .replace(/^\/\*+|\*+\/$/g, '')
          .split('\n')
          .map(row => row.replace(/^\s*\* ?/, '').trim())
          .join('\n')
    texts.push({ kind: 'comment', text: plain, line: startLine, endLine, isLine })
  }
  const readTemplate = () => {
    const startLine = line
    let text = ''
    advance(1)
    while (position < content.length && content[position] !== '`') {
      if (content.startsWith('${', position)) {
        text += '`code`'
        advance(2)
        readCode('}')
        advance(1)
      } else {
        const length = content[position] === '\\' ? 2 : 1
        text += content.slice(position, position + length)
        advance(length)
      }
    }
    advance(1)
    texts.push({ kind: 'string', text, line: startLine })
  }
  const readCode = end => {
    let depth = 0
    while (position < content.length) {
      const rest = content.slice(position, position + 2)
      const character = rest[0]
      if (end && depth === 0 && character === end) return
      if (rest === '//' || rest === '/*') {
        const closing = content.indexOf(rest === '//' ? '\n' : '*/', position)
        const length =
          closing === -1 ? content.length - position : closing - position + (rest === '/*' ? 2 : 0)
        const startLine = line
        const text = content.slice(position, position + length)
        advance(length)
        addComment(text, startLine, line)
      } else if (character === "'" || character === '"') {
        const literal = content.slice(position).match(/^(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/)[0]
        texts.push({ kind: 'string', text: literal.slice(1, -1).replaceAll(/\\(.)/g, '$1'), line })
        advance(literal.length)
        previous = character
      } else if (character === '`') {
        readTemplate()
        previous = character
      } else if (character === '/' && !/[\w)\]'"`}]/.test(previous)) {
        const literal = content.slice(position).match(/^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/)
        advance(literal?.[0].length ?? 1)
        previous = ')'
      } else {
        if (character === '{') depth += 1
        if (character === '}') depth -= 1
        if (!/\s/.test(character)) previous = character
        // After a keyword a value may begin.
        const keyword = content.slice(position).match(/^(?:return|typeof|case|throw|await|of|in)\b(?=\s*\/)/)
        if (keyword && !/\w/.test(content[position - 1] ?? '')) {
          advance(keyword[0].length)
          previous = ''
        } else advance(1)
      }
    }
  }
  readCode()
  return texts.map(({ kind, text, line }) => ({ kind, text, line }))
}

/** Files whose comments start with `#`: a block of comments is one text, and so is every other line. */
function lineTexts(content) {
  const texts = []
  let inComment = false
  content.split('\n').forEach((source, index) => {
    const comment = source.match(/^\s*#+\s?(.*)$/)?.[1]
    const text = (comment ?? source).trim()
    if (comment !== undefined && comment.trim() !== '' && inComment) texts.at(-1).text += `\n${text}`
    else if (text.trim() !== '')
      texts.push({ kind: comment === undefined ? 'string' : 'comment', text, line: index + 1 })
    inComment = comment !== undefined && comment.trim() !== ''
  })
  return texts
}
