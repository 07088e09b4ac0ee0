import { toolchains, untried } from '../packaging/toolchains.mjs'

/** The text of docs/toolchains.md, from the rows that scripts/packaging/toolchains-proof.mjs tries. */
export function toolchainsMarkdown() {
  const rows = [
    ...toolchains.map(({ name, setting, error, remedy, quick }) =>
      row([
        name,
        setting,
        error === undefined ? 'yes' : `no: ${error}`,
        remedy ?? '',
        quick ? 'in CI' : 'with `--all`',
      ]),
    ),
    ...untried.map(name => row([name, '', '', '', 'not tested'])),
  ]
  return `${introduction}\n\n${[row(['Toolchain', 'Setting', 'Works', 'Otherwise', 'Tested']), row(Array(5).fill('---')), ...rows].join('\n')}\n\n${notes}\n`
}

const introduction = `# Toolchains

<!-- Generated from scripts/packaging/toolchains.mjs: change that, not this file. -->

\`@broker/core\`, \`@broker/express-adapter\` and \`@broker/redis-store\` need Node.js 22.19 or newer. They are ES modules without a CommonJS build, and Node's
\`require\` loads them too:

\`\`\`js
import { TokenBroker } from '@broker/core' // in an ES module
const { TokenBroker } = require('@broker/core') // in CommonJS
\`\`\`

Each row was tried with the packed \`@broker/core\` in a project outside the workspace. In a clone,
\`node scripts/packaging/toolchains-proof.mjs --all\` tries them all again, and CI tries some of them.`

const notes = `## Notes

| Matter | What to know |
| --- | --- |
| older Node | npm only warns (\`EBADENGINE\`), and \`new TokenBroker\` throws an error with the version that it needs |
| \`skipLibCheck: false\` | CI checks the declarations with TypeScript 7 and \`@types/node\`, without \`skipLibCheck\` |
| \`@types/node\` | needed with \`skipLibCheck: false\` |
| Express | CI tries the packed adapter with Express 5 and 4, as an ES module and with \`require\` |
| \`@broker/core/undici\` | needs the package undici, 7.30 or 8; \`@broker/core\` itself does not load it |
| \`@broker/core/opentelemetry\` | needs the package @opentelemetry/api, from 1.9; \`@broker/core\` itself does not load it, and its types do not need it |
| two copies of \`@broker/core\` in one project | work together: functions take the \`Broker\` of either, and \`BrokerError.is(error)\` knows the errors of both |

## undici and Node's own fetch

| Error | Cause and cure |
| --- | --- |
| \`this Node's own fetch cannot use a dispatcher of undici 8\` | The \`fetch\` of Node 22 and 24 speaks an older protocol with dispatchers. Import \`fetch\` from \`undici\`, wrap the dispatcher in its \`Dispatcher1Wrapper\`, or use undici 7 |
| \`invalid onRequestStart method\` | The same, from undici, with a dispatcher that has no \`tokenInterceptor\` |
| \`invalid content-length header\` from the global \`fetch\` on Node 22 | Importing undici 8 replaces the global dispatcher. Import \`fetch\` from \`undici\` too |`

function row(cells) {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
