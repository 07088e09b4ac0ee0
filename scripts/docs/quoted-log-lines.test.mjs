import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'

/** Pages in which each text in double quotes, outside code, is a line of the log. */
const pages = ['docs/homelab.md', 'docs/secrets.md']

const messages = [...read('docs/log.md').matchAll(/^\| ([^|]+) \| [A-Z, ]+ \|/gm)].map(
  ([, message]) => message,
)

for (const page of pages) {
  test(`each line of the log that ${page} quotes is in docs/log.md`, () => {
    const quotes = quotesIn(read(page))
    assert.ok(quotes.length > 0)
    const unknown = quotes.filter(quote => !messages.some(message => isBeginning(quote, message)))
    assert.deepEqual(unknown, [])
  })
}

test('a quote is a whole message, or the part before its colon', () => {
  assert.deepEqual(quotesIn('a "key set\nrefreshed" `"code"`\n```sh\n"code"\n```\n'), ['key set refreshed'])
  assert.ok(isBeginning('key set refresh failed', 'key set refresh failed: …'))
  assert.ok(isBeginning('ready', 'ready'))
  assert.ok(!isBeginning('key set', 'key set refreshed'))
})

function quotesIn(markdown) {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/"([^"]+)"/g)].map(([, quote]) => quote.replace(/\s+/g, ' '))
}

function isBeginning(quote, message) {
  return message === quote || message.startsWith(`${quote}: `)
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8')
}
