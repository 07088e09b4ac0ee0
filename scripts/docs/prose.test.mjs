import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { proseFindings } from './prose-findings.mjs'
import { maximumWords, proseExceptions, proseRules } from './prose-rules.mjs'

/** For each rule, texts that it finds and texts that it accepts. */
const samples = {
  timeout: {
    wrong: ['The time-out of a request', 'Time-outs differ'],
    right: ['The timeout of a request', 'Requests time out after 5 s'],
  },
  'who-gets': {
    wrong: ['whoever reaches the listener gets a token', 'a caller that waits, who is late gets 503'],
    right: [
      'Callers that reach the listener receive a token',
      'a client who gets 503',
      'who is this? It gets a token',
    ],
  },
  'free-relative': {
    wrong: ['What is hot is counted.', 'It stops. Who leaves is gone.', 'Note: "Whoever asks waits."'],
    right: ['What is wrong? Look at the log.', 'Callers that leave are gone.', 'Somewhat later it stops.'],
  },
  'that-of': {
    wrong: ['The order is that of the file', 'those of Dex'],
    right: ['The order in the file', 'that often', 'those often used'],
  },
  'of-its-own': {
    wrong: ['a process of its own', 'connections of\ntheir own'],
    right: ['its own process', 'on its own'],
  },
  'such-as-are': {
    wrong: ['tokens such as are cached'],
    right: ['tokens that are cached', 'members such as area'],
  },
  'left-alone': {
    wrong: ['Dex is left alone for a while', 'it leaves the others alone'],
    right: ['the circuit opens for a while', 'a token alone is enough'],
  },
  'lives-on': {
    wrong: ['the token lives on', 'cached tokens serve on to their end', 'the others go on.'],
    right: ['it serves on 127.0.0.1', 'counters live on `broker`', 'a token goes on each call'],
  },
  'to-be-had': {
    wrong: ['no token is to be had', 'the keys cannot be had'],
    right: ['no token is available', 'the keys cannot be handled'],
  },
  stands: {
    wrong: ['the name stands on two lines', 'a proxy that stands in front'],
    right: ['the name appears twice', "Dex's stand-in", 'it stands in for Dex', 'RS stands for RSA'],
  },
  'is-no': {
    wrong: ['the kid is no string', 'these are no keys'],
    right: ['the kid is not a string', 'there is no key', 'it is no longer used', 'Where there is no key'],
  },
  'passes-by': {
    wrong: ['An upgrade passes Express by.', 'requests that pass the check by'],
    right: ['An upgrade bypasses Express.', 'it passes the name by value'],
  },
  'any-more': {
    wrong: ['it is not used any more', 'not used anymore'],
    right: ['it is no longer used', 'not any more than two'],
  },
  'fault-of': {
    wrong: ['a fault of the configuration', 'Dex has a fault of its own', 'it is not their fault'],
    right: ['a misconfiguration', 'the default of the option', 'fault injection', 'fault offsets'],
  },
  heading: {
    wrong: ['# What an answer means', '## 0007 How it stops', '### Ready?', '## Why'],
    right: ['# Answers', '## 0007 Graceful stop', '## Rotate a secret', '## Whatever'],
  },
  personification: {
    wrong: ['the caller hears of it', 'Dex is bothered', 'it comes to rest', 'its log tells'],
    right: ['the caller receives it', 'Dex receives no request', 'it stops', 'its log shows'],
  },
  'living-token': {
    wrong: ['a living token is used', 'living tokens'],
    right: ['a cached token is used', 'live tokens'],
  },
  stranger: {
    wrong: ['strangers wait'],
    right: ['unknown clients wait', 'a strange client'],
  },
  'come-back': {
    wrong: ['when to come back', 'the caller comes again'],
    right: ['when to retry', 'the caller returns'],
  },
  'wins-over': {
    wrong: ['the option wins over discovery', 'both win over it'],
    right: ['the option overrides discovery', 'the winner overrides it'],
  },
  'has-to-be-there': {
    wrong: ['the header has to be there'],
    right: ['the header is required', 'it has to be therefore'],
  },
  'when-you-like': {
    wrong: ['read it when you like'],
    right: ['read it at any time', 'when you use it'],
  },
  'from-which-part': {
    wrong: ['From which part of its life'],
    right: ['Fraction of its life after which'],
  },
  'may-not-say': {
    wrong: ['what a file may not say'],
    right: ['a file with it is rejected'],
  },
}

function rulesFoundIn(text) {
  const isHeading = text.startsWith('#')
  return proseFindings('page.md', isHeading ? text : `${text}\n`).map(({ rule }) => rule)
}

for (const { name, reason, advice } of proseRules) {
  test(`the rule ${name} finds its phrase, accepts what to write instead, and says why`, () => {
    for (const text of samples[name].wrong) assert.ok(rulesFoundIn(text).includes(name), text)
    for (const text of samples[name].right) assert.deepEqual(rulesFoundIn(text), [], text)
    assert.ok(reason && advice)
  })
}

test('a phrase is found in comments and strings of a script, and never in its code', () => {
  const script = [
    "import { lives } from './living'",
    '// A first line; it is kept in',
    '// a process of',
    '// its own.',
    'const timing = time-out / 2',
    "log('the time-out passed', /time-out's/)",
    'log(`after $\x7bname`time-out` ?? "x"} a time-out`) /* of its own */',
    '/**',
    ' * Lines here.',
    ' * What a caller gives.',
    ' */',
    'const next = a / b // time-out',
  ].join('\n')
  assert.deepEqual(
    proseFindings('run.ts', script).map(({ line, rule }) => `${line} ${rule}`),
    ['3 of-its-own', '6 timeout', '7 timeout', '7 timeout', '7 of-its-own', '10 free-relative', '12 timeout'],
  )
})

test('a phrase is found in the comments and in every other line of a file with number signs', () => {
  const yaml = 'on: push\n# It is\n#\n# or it is left\n#   alone here\nname: a time-out\n'
  assert.deepEqual(
    proseFindings('ci.yml', yaml).map(({ line, rule }) => `${line} ${rule}`),
    ['4 left-alone', '6 timeout'],
  )
})

test('code, comments and front matter of a Markdown page are not read; tables, lists and quotes are', () => {
  const page = [
    '---',
    'title: time-out',
    '---',
    '`time-out` and [its time-outs](time-out.md) <!-- time-out -->',
    '```',
    'time-out',
    '```',
    '| A | time-out |',
    '> - a time-out',
    '- a process of',
    '  its own',
  ].join('\n')
  assert.deepEqual(
    proseFindings('page.md', page).map(({ line }) => line),
    [4, 8, 9, 10],
  )
})

test('a sentence of the maximum length passes, one more word is reported with its line', () => {
  const sentence = count => `${Array.from({ length: count }, (_, index) => `Word${index}`).join('\n')}.`
  assert.deepEqual(proseFindings('page.md', sentence(maximumWords)), [])
  const [finding, ...others] = proseFindings(
    'page.md',
    `Short one.\n${sentence(maximumWords + 1)} Short one.`,
  )
  assert.deepEqual(others, [])
  assert.equal(finding.line, 2)
  assert.match(finding.advice, new RegExp(`^${maximumWords + 1} words`))
  const halves = sentence(maximumWords - 1)
  assert.deepEqual(proseFindings('page.md', `${halves}\njose ends it. "Quoted." ${halves}`), [])
  assert.equal(proseFindings('page.md', `Some, e.g. ${sentence(maximumWords)}`).length, 1)
  assert.deepEqual(proseFindings('page.md', `| ${sentence(maximumWords + 1).replaceAll('\n', ' ')} |`), [])
})

test('an exception has a file, a reason and known rules', () => {
  const names = new Set(['*', 'long-sentence', ...proseRules.map(({ name }) => name)])
  for (const { rules, file, reason } of proseExceptions) {
    assert.ok(file instanceof RegExp && reason)
    for (const rule of rules) assert.ok(names.has(rule), rule)
  }
  assert.deepEqual(proseFindings('scripts/docs/prose-rules.mjs', '// time-out'), [])
})

test('the command names file, line, phrase and advice, and reads only the paths that it is given', context => {
  const folder = mkdtempSync(path.join(tmpdir(), 'prose-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('git', ['init', '--quiet'], { cwd: folder })
  mkdirSync(path.join(folder, 'docs'))
  writeFileSync(path.join(folder, 'docs', 'a.md'), '# A\n\nThe time-out.\n')
  writeFileSync(path.join(folder, 'b.md'), '# B\n')
  writeFileSync(path.join(folder, '.gitignore'), 'ignored.md\n')
  writeFileSync(path.join(folder, 'ignored.md'), 'time-out\n')
  const run = (...paths) =>
    spawnSync(process.execPath, [path.join(import.meta.dirname, 'prose.mjs'), ...paths], {
      cwd: folder,
      encoding: 'utf8',
    })

  const all = run()
  assert.equal(all.status, 1)
  assert.match(all.stderr, /^docs\/a\.md:3: time-out -> timeout \(noun\)/)
  assert.match(all.stderr, /\n1 phrase to rewrite/)
  assert.equal(run('docs').status, 1)
  const one = run('b.md')
  assert.equal(one.stderr, '')
  assert.equal(one.status, 0)
})
