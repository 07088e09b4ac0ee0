import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, ManagedProcess } from '@broker/testing'
import { credentialHeaders, startDex } from './dex-process.ts'
import { answerTo } from './first-answer.ts'
import { type ProcessUsage, processUsage } from './process-usage.ts'
import { rawCheck } from './raw-request.ts'

/** One start of a server, up to its first answered check. */
export interface Start extends ProcessUsage {
  readonly milliseconds: number
}

/**
 * Starts each server `starts` times, in turn, so that whatever else the machine does meets all of them alike. The first check asks Dex.
 * `commands` has the program and its arguments by name.
 */
export async function startInTurn(
  commands: Readonly<Record<string, readonly string[]>>,
  starts: number,
): Promise<Map<string, Start[]>> {
  await using dex = await startDex()
  const all = new Map<string, Start[]>(Object.keys(commands).map(name => [name, []]))
  for (let start = 0; start < starts; start++) {
    for (const [name, command] of Object.entries(commands)) {
      all.get(name)?.push(await startOnce(command, dex.tokenEndpoint))
    }
  }
  return all
}

async function startOnce([command = '', ...args]: readonly string[], tokenEndpoint: string): Promise<Start> {
  const port = await freePort()
  const startedAt = performance.now()
  await using child = new ManagedProcess('the server', command, args, {
    env: {
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: tokenEndpoint,
      ALLOW_INSECURE_DEX_URL: 'true',
    },
  })
  const check = rawCheck(credentialHeaders(0))
  for (;;) {
    const answer = await answerTo(port, check).catch(() => undefined)
    if (answer?.status === 200) break
    if (answer !== undefined) throw new Error(`the first check was answered with ${answer.status}`)
    if (child.hasEnded) throw new Error(`it ended before it answered:\n${child.log}`)
    await sleep(1)
  }
  const milliseconds = performance.now() - startedAt
  return { milliseconds, ...processUsage(child.pid) }
}
