import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DevDex } from '@broker/dev-dex'
import { brokerCommand } from '@broker/testing'
import { Command, runCommand } from '../support/command.ts'

type Environment = Readonly<Record<string, string>>

/** A user who has nothing yet but a folder, and the command `token` in that user's hands. */
export class TokenUser implements Disposable {
  readonly home: string = mkdtempSync(path.join(tmpdir(), 'broker-token-'))

  /** The environment of the user, for a Dex with the client `orders`. */
  environment(dex: Pick<DevDex, 'issuer'>): Environment {
    return {
      HOME: this.home,
      XDG_CACHE_HOME: path.join(this.home, 'cache'),
      XDG_CONFIG_HOME: path.join(this.home, 'config'),
      DEX_ISSUER: dex.issuer,
      STATIC_CLIENT_ID: 'orders',
      STATIC_CLIENT_SECRET: 'orders-secret',
      STATIC_SCOPE: 'openid',
    }
  }

  get tokenFolder(): string {
    return path.join(this.home, 'cache/dex-token-broker/tokens')
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true })
  }
}

/** Runs the command `token` to its end, on a machine whose clock is ahead. */
export async function runToken(args: readonly string[], environment: Environment, { aheadMs = 0 } = {}) {
  const preload = `const now = Date.now; Date.now = () => now() + ${aheadMs}`
  await using command =
    aheadMs === 0
      ? runCommand(['token', ...args], environment)
      : new Command(
          process.execPath,
          [
            '--import',
            `data:text/javascript,${encodeURIComponent(preload)}`,
            brokerCommand,
            'token',
            ...args,
          ],
          environment,
        )
  const { code } = await command.end(20_000)
  return { code, stdout: command.stdout, stderr: command.stderr }
}
