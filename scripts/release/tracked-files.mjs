// The text files of a checkout that belong to the repository: what git tracks, and what it would track.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Names of all files, relative to `folder`, also of those that are not committed yet. */
export function trackedFiles(folder) {
  const names = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  // A file that was deleted and not committed is still in the list.
  return names.split('\0').filter(name => name && existsSync(path.join(folder, name)))
}

/** `{ name, text }` of each file without a NUL byte. */
export function* trackedTexts(folder) {
  for (const name of trackedFiles(folder)) {
    const text = readFileSync(path.join(folder, name), 'utf8')
    if (!text.includes('\0')) yield { name, text }
  }
}
