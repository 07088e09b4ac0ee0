// A copy of the checkout as a repository with one commit, in which a release may change files and set tags.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { trackedFiles } from './tracked-files.mjs'

/**
 * Copies what belongs to the repository of `source`, committed or not, into `target`, which must not exist yet: every file
 * whose name matches `names`.
 */
export function copyRepository(source, target, names = /^/) {
  for (const name of trackedFiles(source).filter(file => names.test(file))) {
    const file = path.join(target, name)
    mkdirSync(path.dirname(file), { recursive: true })
    cpSync(path.join(source, name), file)
  }
  const git = (...args) => execFileSync('git', args, { cwd: target, stdio: ['ignore', 'ignore', 'inherit'] })
  git('init', '--quiet', '--initial-branch', 'main')
  git('config', 'user.name', 'dry run')
  git('config', 'user.email', 'dry-run@localhost.invalid')
  git('config', 'commit.gpgsign', 'false')
  git('config', 'tag.gpgsign', 'false')
  commitAll(target, 'the checkout')
}

export function commitAll(folder, message) {
  const options = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync('git', ['add', '--all'], options)
  execFileSync('git', ['commit', '--quiet', '--allow-empty', '--message', message], options)
}
