import { hintText } from '../../packages/core/src/shared/hint.ts'
import { type AnswerRule, answerRules } from '../../packages/core/test/tokens/answers/answer-rules.ts'

const header = ['What came back', 'The caller gets', 'A living token', 'Asked again', '`Retry-After`', 'Hint']

/** docs/answers.md: the rules that the suite of answers checks, as a table. */
export function answersMarkdown(): string {
  const rows = answerRules.map(rule => [
    rule.when,
    callerGets(rule),
    rule.livingToken,
    askedAgain(rule),
    retryAfter(rule),
    hintOf(rule),
  ])
  const table = [header, header.map(() => '---'), ...rows].map(
    cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  )
  return `# Answers of the token endpoint

<!-- Generated from packages/core/test/tokens/answers/answer-rules.ts: change the rules, not this file. -->

Find the answer that your gateway, mesh or Dex gives to a token request, and read what the broker makes of it. The first row that fits counts.
A test sends every row in many combinations of status, content type, content, content coding and headers.

${table.join('\n')}

- **A living token** is one in its safety margin. In its usable life it serves whatever comes back, unless it is dropped.
- **Asked again**: "retried" means up to two more requests in the same call. "Remembered" means that the same token is not requested again
  for \`negativeCacheTtlMs\` (server: \`NEGATIVE_CACHE_TTL\`). Answers that count as failures open the circuit of the client
  after five in a row.
- **\`Retry-After\`**: an obeyed one is passed on, there is no retry, and the circuit of the client opens for that long, a minute at most.
- A hint is for the log. It names the option of the library; the server names its variable. Where a row has no hint, the code says enough.
- A 401 always means the caller's own client or scope. What Dex says about a client, scope and audiences that all come from the
  configuration is 502.
- Codes and their statuses: [errors.md](errors.md).
`
}

function callerGets({ code, status }: AnswerRule): string {
  return code === 'token' ? 'the token' : `${status} \`${code}\``
}

function askedAgain({ retried, next, code }: AnswerRule): string {
  if (code === 'token') return 'no, cached'
  const later = {
    remembered: 'remembered',
    'remembered when it came twice': 'by the next call; remembered when it came twice',
    pauses: 'no, the circuit of the client opens at once',
    asked: 'by the next call; counts as a failure',
  }[next]
  return retried ? `retried, then ${later}` : later
}

function retryAfter({ retryAfter, code }: AnswerRule): string {
  return code === 'token' ? '-' : retryAfter
}

/** With a stand-in for what it shows of the answer. */
function hintOf({ hint }: AnswerRule): string {
  if (hint === undefined) return '-'
  return `\`${hint.problem}\`: ${hintText({ ...hint, detail: hint.problem === 'encoded' ? 'zstd' : 'NNN' })}`
}
