import { hintText } from '../../packages/core/src/shared/hint.ts'
import { type AnswerRule, answerRules } from '../../packages/core/test/tokens/answers/answer-rules.ts'

const header = ['Answer', 'The caller receives', 'A cached token', 'Next request', '`Retry-After`', 'Hint']

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

Find the answer that Dex, or a gateway or mesh in front of it, gives to a token request. The row shows how the broker handles it; the first
row that matches counts. A test sends every row in many combinations of status, content type, content, content coding and headers.

${table.join('\n')}

- **A cached token** here is within its safety margin. Before that, it stays in use with every answer, unless it is dropped.
- **Next request**: "retried" means up to two more requests in the same call. "Remembered" means that the same token is not requested again
  for \`negativeCacheTtlMs\` (server: \`NEGATIVE_CACHE_TTL\`). Answers that count as failures open the circuit of the client
  after five in a row.
- **\`Retry-After\`**: "obeyed" means that it is passed on, that there is no retry, and that the client's circuit opens for that long, a minute at most.
- Hints appear in the log and on the thrown error. They name options of the library; the server's log names variables instead.
- A 401 is always about the caller's own client or scope. When client, scope and audiences all come from the configuration, a rejection
  is 502.
- Codes and their statuses: [errors.md](errors.md).
`
}

function callerGets({ code, status }: AnswerRule): string {
  return code === 'token' ? 'the token' : `${status} \`${code}\``
}

function askedAgain({ retried, next, code }: AnswerRule): string {
  if (code === 'token') return 'none, cached'
  const later = {
    remembered: 'remembered',
    'remembered when it came twice': 'with the next call; remembered after the second time',
    pauses: 'none while the circuit of the client is open, which opens at once',
    asked: 'with the next call; counts as a failure',
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
