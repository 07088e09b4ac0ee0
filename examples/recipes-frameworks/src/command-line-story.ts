import assert from 'node:assert/strict'
import path from 'node:path'
import { answerJson, freePort, ManagedProcess, within } from '@broker/testing'
import { startSurroundings } from './surroundings.ts'

/** Runs the command in each situation, and asserts its output and its exit code. */
export async function commandLineStory(): Promise<void> {
  await using surroundings = await startSurroundings()
  const { dex, api, env } = surroundings

  assert.deepEqual(await run(env), { exit: 0, output: '{"orders":3}\n' })
  assert.equal(dex.counts.tokenRequests, 1)

  api.answer = answerJson({}, 403)
  assert.deepEqual(await run(env), { exit: 1, output: 'the API answered with status 403\n' })
  api.answer = answerJson({}, 502)
  assert.deepEqual(await run(env), { exit: 75, output: 'the API answered with status 502\n' })
  const ordersUrl = `http://127.0.0.1:${await freePort()}`
  assert.deepEqual(await run({ ...env, ORDERS_URL: ordersUrl }), {
    exit: 75,
    output: 'no answer from the API: ECONNREFUSED\n',
  })

  const withWrongSecret = await run({ ...env, CLIENT_SECRET: 'wrong' })
  assert.equal(withWrongSecret.exit, 78)
  assert.match(withWrongSecret.output, /client\.clientSecret/)
  const { CLIENT_SECRET: _, ...withoutSecret } = env
  assert.deepEqual(await run(withoutSecret), {
    exit: 78,
    output: 'DEX_ISSUER, CLIENT_SECRET and ORDERS_URL must be set\n',
  })

  dex.setFault('token', { kind: 'reset' })
  assert.equal((await run(env)).exit, 75)
}

async function run(env: NodeJS.ProcessEnv): Promise<{ exit: number | string | null; output: string }> {
  const file = path.join(import.meta.dirname, 'command-line.ts')
  await using command = new ManagedProcess('command-line', process.execPath, [file], { env })
  const exit = await within(command.ended(), 'the end of the command', 30_000)
  return { exit, output: command.log }
}
