import { mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * A folder like a mounted ConfigMap or Secret of Kubernetes: its files are links into `..data`, a link to a folder of the current
 * version. Removed when it goes out of scope.
 */
export class MountedVolume implements Disposable {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'volume-'))
  readonly #mode: number
  #version = 0

  /** `mode` is for each file, like `defaultMode` of a Secret. */
  constructor(files: Readonly<Record<string, string>>, { mode = 0o644 } = {}) {
    this.#mode = mode
    symlinkSync(this.#write(files), this.file('..data'))
    for (const name of Object.keys(files)) symlinkSync(path.join('..data', name), this.file(name))
  }

  /** The path of a file. */
  file(name: string): string {
    return path.join(this.folder, name)
  }

  /** Replaces all files at once, as the kubelet does: `..data` is renamed over, and the old version is removed. */
  swap(files: Readonly<Record<string, string>>): void {
    const old = readlinkSync(this.file('..data'))
    symlinkSync(this.#write(files), this.file('..data_tmp'))
    renameSync(this.file('..data_tmp'), this.file('..data'))
    rmSync(this.file(old), { recursive: true })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }

  #write(files: Readonly<Record<string, string>>): string {
    const version = `..version_${this.#version++}`
    mkdirSync(this.file(version))
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(path.join(this.file(version), name), text, { mode: this.#mode })
    }
    return version
  }
}
