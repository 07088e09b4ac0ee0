import { maximumWords, proseExceptions, proseRules } from './prose-rules.mjs'
import { readableTexts } from './readable-text.mjs'

/** Names of libraries start a sentence in lower case, so only an abbreviation keeps a full stop from ending one. */
const sentences = /[\s\S]+?(?:(?<!\b(?:e\.g|i\.e|vs|etc))[.!?]["')\]]*(?=\s)|$(?![\s\S]))/g

/** The phrases of a file that a rule finds and its sentences that are too long, as `{ line, phrase, advice, rule }`. */
export function proseFindings(file, content) {
  const findings = readableTexts(file, content).flatMap(text => [
    ...phrasesIn(text),
    ...longSentencesIn(text),
  ])
  return findings
    .filter(finding => !isException(file, finding))
    .sort((one, other) => one.line - other.line)
    .map(({ line, phrase, advice, rule }) => ({ line, phrase, advice, rule }))
}

function phrasesIn({ kind, text, line }) {
  // A phrase may be wrapped; blanking the break keeps the offsets, which give the line.
  const unwrapped = text.replaceAll('\n', ' ')
  return proseRules
    .filter(({ kinds }) => !kinds || kinds.includes(kind))
    .flatMap(({ name, pattern, reason, advice }) =>
      [...unwrapped.matchAll(pattern)].map(match => ({
        rule: name,
        line: line + lineBreaksIn(text.slice(0, match.index)),
        phrase: match[0],
        advice: `${advice} (${reason})`,
        around: unwrapped.slice(Math.max(0, match.index - 60), match.index + match[0].length + 60),
      })),
    )
}

function longSentencesIn({ kind, text, line }) {
  if (kind !== 'prose') return []
  const findings = []
  for (const { index, 0: sentence } of text.matchAll(sentences)) {
    const words = sentence.match(/[\p{L}\p{N}`][^\s]*/gu) ?? []
    if (words.length <= maximumWords) continue
    const start = index + sentence.search(/\S/)
    findings.push({
      rule: 'long-sentence',
      line: line + lineBreaksIn(text.slice(0, start)),
      phrase: `${words.slice(0, 6).join(' ')} ...`,
      advice: `${words.length} words in a sentence: split it (at most ${maximumWords}, better 25)`,
      around: sentence.replaceAll('\n', ' '),
    })
  }
  return findings
}

function isException(file, { rule, around }) {
  return proseExceptions.some(
    exception =>
      (exception.rules.includes('*') || exception.rules.includes(rule)) &&
      exception.file.test(file) &&
      (exception.text?.test(around) ?? true),
  )
}

function lineBreaksIn(text) {
  return text.split('\n').length - 1
}
