import { spawn } from 'node:child_process'
import path from 'node:path'
import { root } from './workspace-packages.cjs'

/**
 * Runs a command of node_modules/.bin (or of the PATH); resolves with `{ exitCode, output }`, both streams in one. A variable
 * that is `undefined` in `env` is removed. After `timeoutMs` the command is killed, and has failed.
 */
export function runCommand(command, args, { cwd = root, env = {}, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const output = []
    const child = spawn(command, args, {
      cwd,
      env: {
        ...process.env,
        PATH: [path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter),
        DO_NOT_TRACK: '1',
        TURBO_TELEMETRY_DISABLED: '1',
        TURBO_NO_UPDATE_NOTIFIER: '1',
        ...(process.env.FORCE_COLOR ? {} : { NO_COLOR: '1' }),
        ...env,
      },
      // The commands of node_modules/.bin are shell scripts on Windows.
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    })
    child.stdout.on('data', chunk => output.push(chunk))
    child.stderr.on('data', chunk => output.push(chunk))
    child.once('error', reject)
    child.once('close', code =>
      resolve({ exitCode: code ?? 1, output: Buffer.concat(output).toString('utf8') }),
    )
  })
}
