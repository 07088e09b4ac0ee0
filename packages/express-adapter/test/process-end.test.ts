import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const app = fileURLToPath(new URL('closing-app.ts', import.meta.url))

test('when clients leave and the broker closes, the process ends by itself, with nothing open and nothing unhandled', async () => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', app], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  expect(errors).toBe('')
  expect(JSON.parse(output)).toEqual({
    // Two that stayed are answered, two that left are not; each waited for the token that never came.
    statuses: [503, 503],
    unhandled: 0,
    open: [],
  })
  expect(code).toBe(0)
})
